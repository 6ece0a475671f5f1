"""CSV export in chunks of about 64 KB."""

from collections.abc import Iterable, Iterator, Sequence

from shop.product_files.exports.columns import Cells, CellType, Column

CHUNK_SIZE = 1 << 16
BOM = "\ufeff"
#: Bytes that XML forbids and CSV readers stumble over. In UTF-8 no other character contains them.
CONTROL_BYTES = bytes({*range(32)} - {*b"\t\n\r"})
NONCHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")


def write_csv(columns: Sequence[Column], rows: Iterable[Cells]) -> Iterator[bytes]:
    """Yield a CSV file: RFC 4180 in UTF-8, with a BOM for Excel. All cells but numbers are quoted.

    Formatting a row with one `%` is five times as fast as the csv module, which reads each letter.
    """
    template = ",".join(
        "%s" if column.cell_type >= CellType.NUMBER else '"%s"' for column in columns
    )
    template += "\r\n"
    quote_count = template.count('"')
    yield encode_text(BOM + ",".join(_quote_cell(column.header) for column in columns) + "\r\n")

    pending, length = [], 0
    for cells in rows:
        line = template % cells
        if line.count('"') != quote_count:
            line = template % tuple(cell.replace('"', '""') for cell in cells)
        pending.append(line)
        length += len(line)
        if length >= CHUNK_SIZE:
            yield encode_text("".join(pending))
            pending, length = [], 0
    yield encode_text("".join(pending))


def _quote_cell(text: str) -> str:
    return '"{}"'.format(text.replace('"', '""'))


def encode_text(text: str) -> bytes:
    """Encode as UTF-8, without the characters that CSV or XML cannot hold."""
    data = text.encode("utf-8", "ignore").translate(None, CONTROL_BYTES)
    for noncharacter in NONCHARACTERS:
        data = data.replace(noncharacter, b"")
    return data
