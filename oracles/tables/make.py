"""Writes the tables of this folder; needs numpy and pyarrow."""

import numpy
import pyarrow
from pyarrow import parquet

ROWS, FEW = 2500, 12
generator = numpy.random.default_rng(0)
x = generator.integers(-8, 9, (ROWS, 3)) / 4
y = generator.integers(-8, 9, (ROWS, 2)) / 2
columns = {
    "x1": x[:, 0],
    "x2": x[:, 1],
    "x3": (x[:, 2] * 4).astype("int64"),
    "y1": y[:, 0],
    "y2": y[:, 1] > 0,
}
table = pyarrow.table({name: pyarrow.array(values) for name, values in columns.items()})
parquet.write_table(table, "samples.parquet", row_group_size=1700, compression="zstd")
parquet.write_table(table.slice(0, FEW), "snappy.parquet", compression="snappy")
for name, rows in (("samples", ROWS), ("snappy", FEW)):
    with open(name + ".csv", "w") as file:
        file.write(",".join(columns) + "\n")
        for row in range(rows):
            file.write(",".join(repr(float(values[row])) for values in columns.values()) + "\n")


def write(name, first, second, first_name="x1"):
    parquet.write_table(pyarrow.table({first_name: first, "y1": second}), name + ".parquet")


inputs, outputs = pyarrow.array(x[:FEW, 0]), y[:FEW, 0].tolist()
write("single", inputs.cast(pyarrow.float32()), pyarrow.array(outputs))
write("missing", inputs, pyarrow.array(outputs[:7] + [None] + outputs[8:]))
write("nan", inputs, pyarrow.array(outputs[:3] + [float("nan")] + outputs[4:]))
write("text", pyarrow.array(["a"] * 3), pyarrow.array([1.0] * 3))
write("nested", pyarrow.array([[1.0, 2.0]] * 3), pyarrow.array([1.0] * 3), "x")
