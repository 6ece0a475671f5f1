"""Pictures of a file: from its ZIP, set after the rows, taken back with them; none is fetched."""

import io
import zipfile

import people
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from importing import ada
from PIL import Image

from shop.exchange import pictures, work
from shop.exchange.checking import upload
from shop.exchange.undoing import undo
from shop.models import AuditEntry, Import, ImportFile, Product
from shop.services.errors import ImportNotReady
from shop.services.import_files import KEPT_FOR, purge_imports

pytestmark = [pytest.mark.usefixtures("ada", "mug"), pytest.mark.django_db(transaction=True)]
TABLE = "sku,name,price,picture\nMUG-1,Mug,12.50,\nVASE,Vase,30,jugs/Blue vase.JPG\nBOWL,Bowl,9,\n"


OLD = f"{0:032}.webp"


def png(colour="red"):
    out = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(out, "PNG")
    return out.getvalue()


def brought(members, table=TABLE):
    """The file with these pictures, checked and applied."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in {"table.csv": table, **members}.items():
            archive.writestr(name, content)
    import_ = upload(actor=ada(), name="spring.zip", content=packed.getvalue())
    work.ask(import_.pk, work.CHECK, actor=ada())
    import_.refresh_from_db()
    assert import_.error == ""
    return import_


def applied(import_):
    work.ask(import_.pk, work.APPLY, actor=ada())
    import_.refresh_from_db()
    return import_


def with_pictures():
    return sorted(product.sku for product in Product.objects.all() if product.image)


def stored():
    return [str(path.relative_to(default_storage.location)) for path in people.pictures()]


def test_they_are_found_by_sku_and_by_the_files_column():
    import_ = brought({"pictures/mug-1.png": png(), "blue vase.png": png("blue"), "stray.png": png()})
    assert import_.found["pictures"] == 2
    assert import_.warnings[0].startswith("1 picture (“stray”) matches no row of the file.")
    assert (with_pictures(), stored()) == ([], [])
    applied(import_)
    assert (import_.result["pictures"], with_pictures()) == (2, ["MUG-1", "VASE"])
    assert AuditEntry.objects.filter(changes="pictures set: 2, failed: 0").exists()


def test_one_that_fails_is_a_warning_and_no_lost_row():
    import_ = applied(brought({"mug-1.png": b"no picture", "BOWL.png": png()}))
    assert (import_.state, import_.asked, with_pictures()) == ("applied", {}, ["BOWL"])
    assert import_.warnings == ["Picture “mug-1”: This is not a JPEG, PNG or WebP picture that can be read."]
    assert set(Product.objects.values_list("sku", flat=True)) == {"MUG-1", "VASE", "BOWL"}


def test_they_are_taken_back_with_the_rows(mug):
    mug.image.save(OLD, io.BytesIO(b"old"))
    before = people.contents()["Product"]
    import_ = applied(brought({"mug-1.png": png(), "vase.png": png("blue")}))
    assert len(stored()) == len(people.pictures_kept()) == 3
    work.ask(import_.pk, work.UNDO, actor=ada())
    import_.refresh_from_db()
    assert import_.result == {
        "new": 2,
        "changed": 0,
        "left": 0,
        "pictures": 2,
        "removed": 2,
        "restored": 0,
    } | {
        "kept": 0,
        "pictures_back": 2,
    }
    [after], [earlier] = people.contents()["Product"], before
    assert {**after, "updated_at": None} == {**earlier, "updated_at": None}
    assert [path.name for path in people.pictures_kept()] == [OLD]


def test_a_picture_that_somebody_changed_since_stays(mug):
    import_ = applied(brought({"mug-1.png": png()}))
    Product.objects.filter(pk=mug.pk).update(image="products/newer.webp")
    work.ask(import_.pk, work.UNDO, actor=ada())
    mug.refresh_from_db()
    row = import_.rows.get(sku="MUG-1")
    assert (mug.image.name, row.outcome, row.why) == (
        "products/newer.webp",
        "kept",
        "It has another picture by now.",
    )


def test_what_was_drawn_before_a_worker_was_killed_is_not_drawn_again(monkeypatch):
    def killed(*_, **__):
        raise KeyboardInterrupt

    import_ = brought({"mug-1.png": png(), "vase.png": png("blue")})
    with monkeypatch.context() as patch:
        patch.setattr(pictures, "touch", lambda _: killed() if with_pictures() else None)
        with pytest.raises(KeyboardInterrupt):
            applied(import_)
    assert (Import.objects.get().asked["step"], with_pictures()) == ("pictures", ["MUG-1"])
    work.carry_out(import_.pk)
    import_.refresh_from_db()
    assert (import_.asked, import_.result["pictures"], len(stored())) == ({}, 2, 2)


def test_addresses_elsewhere_are_listed_and_our_own_are_not():
    table = (
        "sku,name,price,picture\nA,A,1,https://cdn.example.com/a.jpg\nB,B,2,http://127.0.0.1/media/b.webp\n"
    )
    import_ = brought({}, table)
    assert import_.found["remote"] == 1
    assert list(pictures.addresses(import_)) == [("A", "https://cdn.example.com/a.jpg")]


def test_what_an_old_import_replaced_is_forgotten_with_its_rows(mug):
    mug.image.save(OLD, io.BytesIO(b"old"))
    import_ = applied(brought({"mug-1.png": png(), "vase.png": png("blue")}))
    assert len(people.pictures_kept()) == 3
    Import.objects.update(created_at=timezone.now() - KEPT_FOR, beat_at=timezone.now() - KEPT_FOR)
    assert purge_imports() == 1
    import_.refresh_from_db()
    assert (import_.state, import_.rows.count(), ImportFile.objects.count()) == ("closed", 0, 0)
    people.pictures_kept()
    in_use = Product.objects.exclude(image="").order_by("image").values_list("image", flat=True)
    assert stored() == list(in_use)
    assert len(stored()) == 2
    with pytest.raises(ImportNotReady, match="its rows are no longer kept"):
        undo(import_.pk, actor=ada())
