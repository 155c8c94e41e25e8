"""Reads table.parquet, as encore writes it, by pyarrow, and holds it to what was written.

    pip install pyarrow==26.0.1
    python tests/golden/read_parquet.py
"""

import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

table = pq.read_table(Path(__file__).parent / "table.parquet")
assert [field.type for field in table.schema] == [
    pa.string(),
    pa.float64(),
    pa.uint64(),
    pa.bool_(),
    pa.int64(),
]
assert table.column_names == ["name", "accuracy", "epochs", "cut", "key"]
assert table["name"].to_pylist() == ["a, b", "é", ""]
numbers = table["accuracy"].to_pylist()
assert numbers[:2] == [0.1, 1 / 3] and math.isnan(numbers[2])
assert table["epochs"].to_pylist() == [None, 2**64 - 1, 250]
assert table["cut"].to_pylist() == [True, False, True]
assert table["key"].to_pylist() == [-1, 0, 2**63 - 1]
print(table)
