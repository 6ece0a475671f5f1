"""Reading postal addresses, which are free text."""

import re

#: Last parts of an address that name a country, in lower case.
COUNTRIES = frozenset(
    re.split(
        r"\s*\|\s*",
        """
        argentina|australia|austria|österreich|belgique|belgium|belgië|brasil|brazil|canada|china
        |croatia|cyprus|czechia|czech republic|danmark|denmark|deutschland|germany|england|eire
        |españa|spain|estonia|éire|finland|suomi|france|great britain|greece|hong kong|hungary
        |iceland|india|ireland|italia|italy|japan|latvia|liechtenstein|lithuania|luxembourg|malta
        |mexico|méxico|monaco|nederland|netherlands|the netherlands|new zealand|norge
        |northern ireland|norway|poland|polska|portugal|republic of ireland|romania|schweiz|scotland
        |singapore|slovakia|slovenia|south africa|south korea|suisse|svizzera|switzerland|sverige
        |sweden|turkey|türkiye|uk|ukraine|united arab emirates|united kingdom|united states
        |united states of america|us|usa|wales|at|be|ca|ch|cz|de|dk|es|fr|gb|ie|it|nl|no|pl|pt|se
        """.strip(),
    )
)
#: Postcodes of many countries, the more particular ones first.
POSTCODE = re.compile(
    r"(?<![\w-])(?:"
    r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"  # UK: TW9 3AB
    r"|[A-Z]\d[\dW] ?[A-Z\d]{4}"  # Ireland: H91 X0X0
    r"|[A-Z]\d[A-Z] ?\d[A-Z]\d"  # Canada: M5V 2T6
    r"|\d{4} ?[A-Z]{2}(?= )"  # Netherlands: 1017 AB
    r"|(?:[A-Z]{1,3}-)?\d{5}(?:-\d{4})?"  # D-10119, 75011, 10118-1234
    r"|\d{2}-\d{3}|\d{4}-\d{3}|\d{3}-\d{4}"  # Poland, Portugal, Japan
    r"|(?:[A-Z]{1,3}-)?(?:\d{3} \d{2}|\d{4}|\d{6})"  # Sweden, Austria, India
    r")(?![\w-])",
    re.IGNORECASE,
)
#: A state before an American or Australian postcode: NY, NSW.
STATE = re.compile(r"(?:^|[ .])(?:[A-Z]{2,3}|[A-Z]\.[A-Z]\.)$")
CEDEX = re.compile(r" cedex\b.*", re.IGNORECASE)


def town_of(address: str) -> str:
    r"""Return the town in a postal address, without postcode, state and country; a guess.

    Lines and commas separate the parts. Empty if no part looks like a town.

    >>> town_of("1 Fern Lane\nKew\nLondon TW9 3AB"), town_of("Torstr. 5, 10119 Berlin, Germany")
    ('London', 'Berlin')
    """
    parts = [part.strip() for part in re.split(r"[,;\n]", address) if part.strip()]
    while len(parts) > 1 and parts[-1].lower().rstrip(".") in COUNTRIES:
        parts.pop()
    for number in reversed(range(len(parts))):
        is_house_number = number == 0 and len(parts) > 1
        postcodes = () if is_house_number else tuple(POSTCODE.finditer(parts[number]))
        if postcodes:
            town = _town_beside(parts[number], postcodes[-1])
            return town or (parts[number - 1] if number else "")
    return next((part for part in reversed(parts) if not re.search(r"\d", part)), "")


def _town_beside(part: str, postcode: re.Match[str]) -> str:
    """Return the town after the postcode, or else before it; empty if neither is there."""
    if after := CEDEX.sub("", part[postcode.end() :].strip(" -.")):
        return after
    town = STATE.sub("", part[: postcode.start()].strip()).strip()
    has_street = bool(re.search(r"\d", town))
    return town.split()[-1] if has_street else town
