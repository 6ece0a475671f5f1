"""What packing slips and invoices have in common."""

import pytest

from shop.documents.order_documents import join_address


@pytest.mark.parametrize(
    ("name", "address", "printed"),
    [
        ("Carl Buyer", "1 Street\nTown", "Carl Buyer\n1 Street\nTown"),
        ("Carl Buyer", "carl buyer \n1 Street", "carl buyer \n1 Street"),
        ("Carl Buyer", "Carl Buyer, 1 Street", "Carl Buyer, 1 Street"),
        ("Al", "Albert Road 1\nTown", "Al\nAlbert Road 1\nTown"),
        ("", "", ""),
    ],
)
def test_a_name_is_printed_once_above_its_address(name, address, printed):
    assert join_address(name, address) == printed
