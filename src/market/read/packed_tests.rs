//! Packed files, sound and hostile.

use std::io::Write;

use flate2::Compression as Level;
use flate2::write::GzEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::dialect_tests::file;
use super::{Compression, read_table};

const TEXT: &str = "date,open,high,low,close,volume\n2024-01-13 00:00,10,12,9,11,5\n2024-01-13 01:00,11,12.5,10,10.5,0\n";
const JSON: &str = "[[1705104000000,10,12,9,11,5],[1705107600000,11,12.5,10,10.5,0]]";

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Level::default());
    packer.write_all(content).unwrap();
    packer.finish().unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut packer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in members {
        packer.start_file(*name, SimpleFileOptions::default()).unwrap();
        packer.write_all(content).unwrap();
    }
    packer.finish().unwrap().into_inner()
}

#[test]
fn packed_texts_are_read_like_plain_ones() {
    let (_folder, plain) = file("AB-1h.csv", TEXT);
    let plain = read_table(&plain).unwrap().columns;
    let several = [gzip(&TEXT.as_bytes()[..60]), gzip(&TEXT.as_bytes()[60..])].concat();
    let readme: (&str, &[u8]) = ("README.txt", b"hello");
    for (name, content, compression, member) in [
        ("AB-1h.csv.gz", gzip(TEXT.as_bytes()), Compression::Gzip, None),
        ("AB-1h.gz", several, Compression::Gzip, None),
        ("AB-1h.json.gz", gzip(JSON.as_bytes()), Compression::Gzip, None),
        ("AB-1h.zip", zip(&[("ab.csv", TEXT.as_bytes())]), Compression::Zip, Some("ab.csv")),
        (
            "AB-1h.csv.zip",
            zip(&[("x/ab.csv", TEXT.as_bytes()), readme]),
            Compression::Zip,
            Some("x/ab.csv"),
        ),
        (
            "AB-1h.zip",
            zip(&[("ab.json", JSON.as_bytes()), ("__MACOSX/ab.json", b"")]),
            Compression::Zip,
            Some("ab.json"),
        ),
        // The name is not always true.
        ("AB-1h.csv", gzip(TEXT.as_bytes()), Compression::Gzip, None),
    ] {
        let (_folder, path) = file(name, content);
        let table = read_table(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(table.columns, plain, "{name}");
        assert_eq!(
            (table.reading.compression, table.reading.member.as_deref()),
            (compression, member)
        );
    }
}

#[test]
fn hostile_archives_are_refused_with_the_reason() {
    let sound = gzip(TEXT.as_bytes());
    let archive = zip(&[("ab.csv", TEXT.as_bytes())]);
    let bomb = "1704067200,1,1,1,1,1\n".repeat(1_500_000);
    let two = zip(&[("b.csv", b""), ("a.csv", b""), ("notes.md", b"")]);
    let mut damaged = archive.clone();
    damaged[45] ^= 0xff;
    for (name, content, expected) in [
        ("AB-1h.csv.gz", sound[..sound.len() - 9].to_vec(), "AB-1h.csv.gz: cannot be unpacked ("),
        ("AB-1h.csv.gz", gzip(bomb.as_bytes()), "MiB, far beyond what market data does"),
        ("AB-1h.zip", zip(&[("ab.csv", bomb.as_bytes())]), "it unpacks to more than "),
        ("AB-1h.zip", archive[..archive.len() / 2].to_vec(), "AB-1h.zip: cannot be unpacked ("),
        ("AB-1h.zip", damaged, "AB-1h.zip: cannot be unpacked ("),
        (
            "AB-1h.zip",
            two,
            "AB-1h.zip: holds 2 data files: b.csv, a.csv; expected one: unpack the archive into a folder",
        ),
        ("AB-1h.zip", zip(&[("a.pdf", b"")]), "it holds no .csv, .tsv, .txt or .json file"),
        ("AB-1h.zip", zip(&[("a.csv", b"")]), "holds no bars"),
    ] {
        let (_folder, path) = file(name, content);
        let error = read_table(&path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}\n, not\n{expected}");
    }
}
