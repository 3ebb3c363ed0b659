//! A spool's folder in which a crash, or anyone, may have left anything: records that are read back or none, and segments
//! out of which only whole lines come.
#![no_main]

use arca::audit::spool::{Bounds, Cursor, Dropped, Spool, WhenFull, lines};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(cursor) = Cursor::decode(bytes) {
        assert_eq!(Cursor::decode(cursor.encode().as_bytes()), Some(cursor));
    }
    if let Some(dropped) = Dropped::decode(bytes) {
        assert_eq!(Dropped::decode(dropped.encode().as_bytes()), Some(dropped));
    }
    let Some((first, text)) = bytes.split_first() else { return };
    let mut rest = text;
    while let Some(batch) = lines(&mut { rest }, usize::from(*first)).expect("memory can be read") {
        assert!(batch.ends_with(b"\n") && rest.starts_with(&batch));
        rest = rest.get(batch.len()..).unwrap_or_default();
    }
    assert!(!rest.contains(&b'\n'));
    opened(text, usize::from(*first));
});

/// The same bytes as the last segment of a spool on disk.
fn opened(text: &[u8], max_bytes: usize) {
    let folder = std::env::temp_dir().join(format!("arca-fuzz-spool-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let segment = folder.join("00000000000000000000-00000000000000000000.log");
    std::fs::write(segment, text).expect("a segment");
    let bounds = Bounds { max_bytes: 1 << 20, full: WhenFull::Block, durable: false };
    let (mut writer, cursor) = Spool::open(&folder, bounds, Default::default()).expect("any segment can be opened");
    writer.append(b"next\n").expect("a line can be appended");
    let (mut all, mut place) = (Vec::new(), cursor.place);
    while let Some(batch) = writer.spool().read(place, max_bytes).expect("a segment can be read") {
        all.extend(batch.bytes);
        place = batch.end;
    }
    let kept = all.strip_suffix(b"next\n").expect("the line that was appended");
    // What is left of the segment is its beginning, but for a newline that was missing.
    assert!(text.starts_with(kept) || kept.strip_suffix(b"\n") == Some(text));
    drop(writer);
    std::fs::remove_dir_all(&folder).expect("a folder of one's own");
}
