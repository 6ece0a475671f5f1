from shop.api.etags import cached_body


def test_a_body_is_serialised_once_for_the_same_rows():
    serialised = []
    get_body = cached_body(
        lambda site, rows, **paging: serialised.append(rows) or f"{site} {rows} {paging}"
    )
    first, again = (get_body("site-a", (1, "mug"), count=3) for _ in range(2))
    assert first == again
    assert len(serialised) == 1
    others = (
        get_body("site-b", (1, "mug"), count=3),
        get_body("site-a", (2, "mug"), count=3),
        get_body("site-a", (1, "mug"), count=4),
    )
    assert len({etag for _body, etag in (first, *others)}) == 4


def test_unhashable_rows_are_serialised_each_time():
    serialised = []
    get_body = cached_body(lambda rows: serialised.append(rows) or str(rows))
    first, again = (get_body(({"size": [1, 2]},)) for _ in range(2))
    assert first == again
    assert len(serialised) == 2
