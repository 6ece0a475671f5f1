"""Pictures of an import: from its ZIP, set after the rows, undone with them, never fetched."""

import io
import zipfile

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image
from support import factories
from support.import_runs import ada

from shop.models import AuditEntry, ChangeSet, ImportFile, Product
from shop.product_files.imports import pictures, runner
from shop.product_files.imports.preview import store_upload
from shop.services.change_sets.retention import CHANGE_SET_RETENTION, purge_change_sets
from shop.services.change_sets.undo import undo_change_set
from shop.services.errors import ImportNotReady

pytestmark = [pytest.mark.usefixtures("ada", "mug"), pytest.mark.django_db(transaction=True)]
TABLE = "sku,name,price,picture\nMUG-1,Mug,12.50,\nVASE,Vase,30,jugs/Blue vase.JPG\nBOWL,Bowl,9,\n"


OLD = f"{0:032}.webp"


def png(colour="red"):
    out = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(out, "PNG")
    return out.getvalue()


def preview_zip(members, table=TABLE):
    """Upload a ZIP of the table and these pictures, and preview it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in {"table.csv": table, **members}.items():
            archive.writestr(name, content)
    change_set = store_upload(actor=ada(), name="spring.zip", content=packed.getvalue())
    runner.request_step(change_set.pk, runner.PREVIEW, actor=ada())
    change_set.refresh_from_db()
    assert change_set.error == ""
    return change_set


def applied(change_set):
    runner.request_step(change_set.pk, runner.APPLY, actor=ada())
    change_set.refresh_from_db()
    return change_set


def with_pictures():
    return sorted(product.sku for product in Product.objects.all() if product.image)


def stored():
    return [str(path.relative_to(default_storage.location)) for path in factories.stored_pictures()]


def test_pictures_match_by_sku_and_by_column():
    change_set = preview_zip(
        {"pictures/mug-1.png": png(), "blue vase.png": png("blue"), "stray.png": png()}
    )
    assert change_set.detected["pictures"] == 2
    assert change_set.warnings[0].startswith("1 picture matches no row of the file: “stray”.")
    assert (with_pictures(), stored()) == ([], [])
    applied(change_set)
    assert (change_set.result["pictures"], with_pictures()) == (2, ["MUG-1", "VASE"])
    assert AuditEntry.objects.filter(changes="pictures set: 2, failed: 0").exists()


def test_broken_picture_is_a_warning():
    change_set = applied(preview_zip({"mug-1.png": b"no picture", "BOWL.png": png()}))
    assert (change_set.state, change_set.pending_step, with_pictures()) == (
        "applied",
        {},
        ["BOWL"],
    )
    assert change_set.warnings == [
        "Picture “mug-1”: This image can't be read. Choose a JPEG, PNG or WebP file."
    ]
    assert set(Product.objects.values_list("sku", flat=True)) == {"MUG-1", "VASE", "BOWL"}


def test_pictures_are_undone_with_the_rows(mug):
    mug.image.save(OLD, io.BytesIO(b"old"))
    before = factories.all_rows()["Product"]
    change_set = applied(preview_zip({"mug-1.png": png(), "vase.png": png("blue")}))
    assert len(stored()) == len(factories.pictures_after_purge()) == 3
    runner.request_step(change_set.pk, runner.UNDO, actor=ada())
    change_set.refresh_from_db()
    assert change_set.result == {
        "new": 2,
        "changed": 0,
        "left_out": 0,
        "pictures": 2,
        "removed": 2,
        "restored": 0,
    } | {
        "not_undone": 0,
        "pictures_restored": 2,
    }
    [after], [earlier] = factories.all_rows()["Product"], before
    assert {**after, "updated_at": None} == {**earlier, "updated_at": None}
    assert [path.name for path in factories.pictures_after_purge()] == [OLD]


def test_picture_changed_after_the_import_is_kept(mug):
    change_set = applied(preview_zip({"mug-1.png": png()}))
    Product.objects.filter(pk=mug.pk).update(image="products/newer.webp")
    runner.request_step(change_set.pk, runner.UNDO, actor=ada())
    mug.refresh_from_db()
    row = change_set.rows.get(sku="MUG-1")
    assert (mug.image.name, row.outcome, row.reason) == (
        "products/newer.webp",
        "not_undone",
        "The picture was changed after the import.",
    )


def test_killed_worker_continues_with_the_remaining_pictures(monkeypatch):
    def killed(*_, **__):
        raise KeyboardInterrupt

    change_set = preview_zip({"mug-1.png": png(), "vase.png": png("blue")})
    with monkeypatch.context() as patch:
        patch.setattr(pictures, "renew_heartbeat", lambda _: killed() if with_pictures() else None)
        with pytest.raises(KeyboardInterrupt):
            applied(change_set)
    assert (ChangeSet.objects.get().pending_step["step"], with_pictures()) == (
        "pictures",
        ["MUG-1"],
    )
    runner.run_pending_steps(change_set.pk)
    change_set.refresh_from_db()
    assert (change_set.pending_step, change_set.result["pictures"], len(stored())) == (
        {},
        2,
        2,
    )


def test_only_remote_picture_urls_are_listed():
    table = "sku,name,price,picture\nA,A,1,https://cdn.example.com/a.jpg\nB,B,2,http://127.0.0.1/media/b.webp\n"
    change_set = preview_zip({}, table)
    assert change_set.detected["remote_pictures"] == 1
    assert list(pictures.remote_picture_urls(change_set)) == [
        ("A", "https://cdn.example.com/a.jpg")
    ]


def test_purge_deletes_replaced_pictures_with_the_rows(mug):
    mug.image.save(OLD, io.BytesIO(b"old"))
    change_set = applied(preview_zip({"mug-1.png": png(), "vase.png": png("blue")}))
    assert len(factories.pictures_after_purge()) == 3
    ChangeSet.objects.update(
        created_at=timezone.now() - CHANGE_SET_RETENTION,
        heartbeat_at=timezone.now() - CHANGE_SET_RETENTION,
    )
    assert purge_change_sets() == 1
    change_set.refresh_from_db()
    assert (change_set.state, change_set.rows.count(), ImportFile.objects.count()) == (
        "closed",
        0,
        0,
    )
    factories.pictures_after_purge()
    in_use = Product.objects.exclude(image="").order_by("image").values_list("image", flat=True)
    assert stored() == list(in_use)
    assert len(stored()) == 2
    with pytest.raises(ImportNotReady, match="is closed"):
        undo_change_set(change_set.pk, actor=ada())
