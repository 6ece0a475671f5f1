from shop.api.etags import cached_body


def test_a_body_is_made_once_for_the_same_rows():
    made = []
    make = cached_body(lambda site, rows, **about: made.append(rows) or f"{site} {rows} {about}")
    first, again = (make("here", (1, "mug"), count=3) for _ in range(2))
    assert first == again
    assert len(made) == 1
    others = (
        make("there", (1, "mug"), count=3),
        make("here", (2, "mug"), count=3),
        make("here", (1, "mug"), count=4),
    )
    assert len({tag for _, tag in (first, *others)}) == 4


def test_rows_that_hold_json_are_made_each_time_and_have_a_tag_too():
    made = []
    make = cached_body(lambda rows: made.append(rows) or str(rows))
    first, again = (make(({"size": [1, 2]},)) for _ in range(2))
    assert first == again
    assert len(made) == 2
