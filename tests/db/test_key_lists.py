"""The keys of many-to-many records as a value of the row, shown with the groups of users."""

import pytest
from django.contrib.auth.models import Group
from support import factories

from shop.db.compiled_queries import CompiledQuery, CompiledSearch, Placeholder
from shop.db.key_lists import key_list, linked_from, linked_to
from shop.models import CartItem, User

GROUPS = User._meta.get_field("groups")


@pytest.fixture
def groups(ada, carl, dora):
    """Three groups: Ada is in all of them, Carl in the first, Dora in none."""
    created = [Group.objects.create(name=name) for name in ("C", "B", "A")]
    for group in reversed(created):
        group.user_set.add(ada)
    created[0].user_set.add(carl)
    return [group.pk for group in created]


def test_keys_are_tuples_in_ascending_order(ada, carl, dora, groups, statements):
    rows = User.objects.order_by("pk").values_list("pk", key_list(GROUPS))
    with statements(1):
        assert list(rows) == [(ada.pk, tuple(groups)), (carl.pk, (groups[0],)), (dora.pk, ())]


def test_keys_are_read_by_compiled_queries(ada, carl, groups):
    rows = User.objects.order_by("pk").values_list("pk", key_list(GROUPS))
    query = CompiledQuery(rows.filter(pk=Placeholder("pk", User._meta.pk)))
    assert query(pk=carl.pk) == [(carl.pk, (groups[0],))]
    search = CompiledSearch(rows)
    found = search(User.objects.filter(pk__in=linked_to(GROUPS, groups)), 0, 9)
    assert found == ([(ada.pk, tuple(groups)), (carl.pk, (groups[0],))], 2)


def test_keys_of_a_joined_model(ada, mug, groups):
    factories.add_to_cart(ada, (mug, 1))
    rows = CartItem.objects.values_list("quantity", key_list(GROUPS, "user__"))
    assert list(rows) == [(1, tuple(groups))]


def test_links_lead_both_ways_without_repeating_a_row(ada, carl, groups):
    users = User.objects.filter(pk__in=linked_to(GROUPS, groups)).order_by("pk")
    assert list(users) == [ada, carl]
    assert Group.objects.filter(pk__in=linked_from(GROUPS, [ada.pk, carl.pk])).count() == 3
    assert Group.objects.filter(pk__in=linked_from(GROUPS, [carl.pk])).count() == 1


def test_a_search_that_can_match_nothing_is_empty(ada):
    rows = User.objects.order_by("pk").values_list("pk")
    assert CompiledSearch(rows)(User.objects.none(), 0, 9) == ([], 0)
    assert CompiledQuery(User.objects.none())() == []
