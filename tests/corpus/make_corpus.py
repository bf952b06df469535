"""Writes the seeds of the readers' fuzzing: small files as pandas, polars and the vendors write them, one folder for each reader.

    python tests/corpus/make_corpus.py

Files that once brought a reader down lie beside them (`crash-…`) and are not made here. Needs pandas, pyarrow and polars.
"""

import gzip
import io
import json
import pathlib
import zipfile

import pandas as pd
import polars as pl

HERE = pathlib.Path(__file__).parent
BARS = pd.DataFrame(
    {
        "date": pd.date_range("2024-01-13", periods=4, freq="h", tz="UTC"),
        "open": [10.0, 11.0, 10.5, 12.75],
        "high": [12.0, 12.5, 13.0, 13.0],
        "low": [9.0, 10.0, 10.25, 12.5],
        "close": [11.0, 10.5, 12.75, 12.5],
        "volume": [5.0, 0.0, 7.0, 1.0],
    }
)


def write(reader, name, content):
    folder = HERE / reader
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def naive():
    return BARS.assign(date=BARS["date"].dt.tz_localize(None))


def texts():
    yield "pandas.csv", naive().to_csv(index=False)
    yield "index.csv", naive().set_index("date").to_csv()
    yield "comma.csv", naive().to_csv(index=False, sep=";", decimal=",")
    yield "quoted.tsv", naive().to_csv(index=False, sep="\t", quoting=1)
    yield "newest.csv", "see https://www.CryptoDataDownload.com\n" + naive().iloc[::-1].to_csv(index=False)
    yield "metatrader.csv", "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\n2024.01.13\t00:00:00\t1\t2\t1\t2\t5\n"
    yield "utf16.csv", ("\ufeffdate,open,high,low,close,volume\r\n2024.01.13 00:00,1,2,1,2,5\r\n").encode("utf-16-le")
    yield "lean.csv", "19980102 09:00,136300,137500,135000,136300,540700\n19980102 10:00,136300,148100,135600,144400,1974100\n"
    yield "quotes.csv", "20060320 00:00,552.8,554.7,552.4,554.2,0,555.3,557.2,554.9,556.7,0\n"
    yield "binance.csv", "1735689600000000,1,2,0.5,1.5,10,1735689659999999,15,3,5,7,0\n"
    yield "points.csv", "Date,open,high,low,close,tick_volume\n2012-11-16,103428.00000000001,103430.0,103176.0,103258.99999999999,4912\n"
    yield "am.csv", "date,symbol,open,high,low,close,volume_btc,volume\n2019-10-17 09-AM,BTCUSD,8051,8056.83,8021.23,8035.88,61.25,492394.56\n"
    yield "german.csv", "Datum;date;open;high;low;close;volume\nx;13.01.2024 00:00;1,5;2;1;2;5\nx;02.01.2024 00:00;1,5;2;1;2;5\n"


def jsons():
    rows = [[int(row[0].timestamp() * 1000), *row[1:]] for row in BARS.itertuples(index=False)]
    yield "freqtrade.json", json.dumps(rows)
    yield "binance.json", json.dumps([[rows[0][0], *map(str, rows[0][1:]), rows[0][0] + 1, "1", 2, "3", "4", "5"]])
    yield "objects.json", naive().astype({"date": str}).to_json(orient="records")
    yield "mixed.json", '[{"t":1705104000,"o":1,"h":2,"l":1,"c":2,"v":null,"x":[{"y":[]}]},7,[],{"t":"2024-01-13","o":"1"}]'


def feathers():
    for name, compression in [("plain", "uncompressed"), ("lz4", "lz4"), ("zstd", "zstd")]:
        out = io.BytesIO()
        BARS.to_feather(out, compression=compression)
        yield f"{name}.feather", out.getvalue()
    out = io.BytesIO()
    naive().assign(date=naive()["date"].astype(str), symbol=pd.Categorical(["AB"] * 4)).to_feather(out)
    yield "texts.feather", out.getvalue()
    out = io.BytesIO()
    pl.from_pandas(BARS).write_ipc(out, compression="lz4")
    yield "polars.feather", out.getvalue()


def parquets():
    for compression in ["none", "snappy", "gzip", "brotli", "lz4", "zstd"]:
        out = io.BytesIO()
        BARS.to_parquet(out, compression=None if compression == "none" else compression)
        yield f"{compression}.parquet", out.getvalue()
    out = io.BytesIO()
    BARS.set_index("date").to_parquet(out)
    yield "index.parquet", out.getvalue()
    out = io.BytesIO()
    naive().set_index("date").rename_axis(None).to_parquet(out, coerce_timestamps="ms")
    yield "unnamed_index.parquet", out.getvalue()
    out = io.BytesIO()
    naive().assign(date=naive()["date"].astype(str), symbol="AB").to_parquet(out)
    yield "texts.parquet", out.getvalue()
    out = io.BytesIO()
    BARS.assign(volume=BARS["volume"].astype(int)).to_parquet(out, version="1.0", data_page_version="2.0")
    yield "pages2.parquet", out.getvalue()
    out = io.BytesIO()
    pl.from_pandas(BARS).write_parquet(out)
    yield "polars.parquet", out.getvalue()


def archives():
    text = naive().to_csv(index=False).encode()
    yield "gzip", "csv.gz", gzip.compress(text, mtime=0)
    yield "gzip", "two.csv.gz", gzip.compress(text[:50], mtime=0) + gzip.compress(text[50:], mtime=0)
    for name, members in [("one.zip", {"a.csv": text}), ("two.zip", {"a.csv": text, "b.csv": text}), ("json.zip", {"a.json": b"[[1705104000,1,1,1,1,1]]"})]:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in members.items():
                archive.writestr(zipfile.ZipInfo(member), content, zipfile.ZIP_DEFLATED)
        yield "zip", name, out.getvalue()


OVERRIDES = """(
    all: (zone: "Europe/Athens"),
    files: [
        ("XAU*.csv", (price_divisor: 100)),
        ("gold.txt", (symbol: "XAUUSD", timeframe: "1h", separator: ';', layout: lean_quotes,
            date_order: day_month_year, columns: (time: 1, close: "last"))),
    ],
)
"""

for reader, files in [("text", texts()), ("json", jsons()), ("feather", feathers()), ("parquet", parquets())]:
    for name, content in files:
        write(reader, name, content)
for reader, name, content in archives():
    write(reader, name, content)
write("overrides", "example.ron", OVERRIDES)
