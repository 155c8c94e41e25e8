"""Writes `types.parquet`, a column of every type that pyarrow writes, and `pandas.parquet`, what pandas writes by default,
for `src/table/parquet.rs`.

Made with Python 3, pyarrow 26.0.1, pandas 3.1.1:
    python3 -m venv venv && venv/bin/pip install pyarrow pandas
    venv/bin/python tests/golden/make_parquet.py
"""

import datetime as dt
import decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
DAY = dt.date(2020, 1, 31)
NOON = dt.datetime(2020, 1, 31, 12)
NUMBERS = [1, None, 100]
TEXTS = ["1", None, "100"]

columns = {
    name: pa.array(NUMBERS, getattr(pa, name)())
    for name in ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"]
}
columns |= {
    "bool": pa.array([True, None, False]),
    "null": pa.nulls(3),
    "string": pa.array(TEXTS),
    "large_string": pa.array(TEXTS, pa.large_string()),
    "string_view": pa.array(TEXTS, pa.string_view()),
    "binary": pa.array([b"1", None, b"100"]),
    "dictionary": pa.array(TEXTS).dictionary_encode(),
    "dictionary_int8": pa.array(TEXTS, pa.dictionary(pa.int8(), pa.string())),
    "dictionary_of_int64": pa.array(NUMBERS).dictionary_encode(),
    "list": pa.array([["rock", "r&b"], None, ["children's", None]]),
    "list_of_dictionary": pa.array([["rock"], [], ["pop"]], pa.list_(pa.dictionary(pa.int32(), pa.string()))),
    "float16": pa.array(NUMBERS, pa.float16()),
    "date32": pa.array([DAY, None, DAY]),
    "date64": pa.array([DAY, None, DAY], pa.date64()),
    "timestamp": pa.array([NOON, None, NOON]),
    "timestamp_utc": pa.array([NOON, None, NOON], pa.timestamp("ns", "UTC")),
    "time32": pa.array([NOON.time(), None, NOON.time()], pa.time32("s")),
    "time64": pa.array([NOON.time(), None, NOON.time()]),
    "duration": pa.array([dt.timedelta(1), None, dt.timedelta(2)]),
    "decimal128": pa.array([decimal.Decimal("1.25"), None, decimal.Decimal("2.50")], pa.decimal128(10, 2)),
    "decimal256": pa.array([decimal.Decimal("1.25"), None, decimal.Decimal("2.50")], pa.decimal256(50, 2)),
    "dictionary_of_date": pa.array([DAY, None, DAY]).dictionary_encode(),
    "list_of_numbers": pa.array([[1.0], None, [2.0]]),
    "fixed_list": pa.array([[1.0, 2.0], None, [3.0, 4.0]], pa.list_(pa.float64(), 2)),
    "struct": pa.array([{"x": 1}, None, {"x": 2}]),
    "map": pa.array([[("x", 1)], None, [("x", 2)]], pa.map_(pa.string(), pa.int64())),
    "uuid": pa.array([bytes(range(16)), None, bytes(range(240, 256))], pa.uuid()),
    "json": pa.array(['{"x": 1}', None, "{}"], pa.json_()),
    "not_utf8": pa.array([b"Fran\xe7ais", None, b""]),
}
pq.write_table(pa.table(columns), HERE / "types.parquet")

songs = pd.DataFrame(
    {
        "genre": pd.Categorical(["pop", "rock", None]),
        "tempo": [120.5, None, 90.0],
        "key": pd.array([7, None, 0], dtype="Int8"),
        "explicit": [True, False, True],
        "name": ["a", None, "é"],
        "genres": [["pop", "r&b"], [], None],
        "released": pd.to_datetime(["2020-01-31", None, "1999-12-31"]),
    },
    index=pd.Index(["t1", "t2", "t3"], name="id"),
)
songs.to_parquet(HERE / "pandas.parquet")
