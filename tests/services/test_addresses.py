import pytest

from shop.services.addresses import town_of


@pytest.mark.parametrize(
    ("address", "town"),
    [
        ("1 Fern Lane\nKew\nLondon TW9 3AB", "London"),
        ("1 Fern Lane\nLeeds\nLS1 4AP\nUnited Kingdom", "Leeds"),
        ("Flat 2, 12 High Street, York, YO1 7HH, UK", "York"),
        ("12 High St\nStoke-on-Trent ST1 1AA\nEngland", "Stoke-on-Trent"),
        ("12 High St London SW1A 1AA", "London"),
        ("Curlew Cottage\nBallinarra Road\nGalway\nH91 X0X0\nIreland", "Galway"),
        ("5 Quay Street\nDublin 2\nD02 X285", "Dublin 2"),
        ("Torstraße 5\n10119 Berlin", "Berlin"),
        ("Torstr. 5, 10119 Berlin, Deutschland", "Berlin"),
        ("Jürgen Weißmann\nTorstr. 5\nD-60311 Frankfurt am Main\nGermany", "Frankfurt am Main"),
        ("Musterstraße 5 10115 Berlin", "Berlin"),
        ("Ring 1\n1010 Wien\nÖsterreich", "Wien"),
        ("Bahnhofstrasse 1, CH-8001 Zürich", "Zürich"),
        ("Keizersgracht 10\n1017 AB Amsterdam\nNetherlands", "Amsterdam"),
        ("12 rue Oberkampf\n75011 Paris\nFrance", "Paris"),
        ("1 place Mazas\n75008 PARIS CEDEX 08", "PARIS"),
        ("3 rue Haute, 13100 Aix-en-Provence, FR", "Aix-en-Provence"),
        ("350 Fifth Avenue\nNew York, NY 10118\nUSA", "New York"),
        ("12345 Main Street\nSpringfield IL 62704-1234", "Springfield"),
        ("1600 Pennsylvania Ave NW\nWashington, D.C. 20500", "Washington"),
        ("1 Front Street\nToronto ON M5V 2T6\nCanada", "Toronto"),
        ("5 George St\nSydney NSW 2000\nAustralia", "Sydney"),
        ("ul. Prosta 1\n00-950 Warszawa", "Warszawa"),
        ("Storgatan 1\nSE-111 22 Stockholm\nSweden", "Stockholm"),
        ("1 Street\nTown", "Town"),
        ("4821 Oak Road\nPortland", "Portland"),
        ("1 Street", ""),
        ("Berlin", "Berlin"),
        ("10115", ""),
        ("[erased]", "[erased]"),
        (" ,\n, ", ""),
        ("", ""),
    ],
)
def test_the_town_of_an_address(address, town):
    assert town_of(address) == town
