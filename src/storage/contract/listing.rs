//! Names: how they are listed, and that each is kept apart.

use super::*;

pub(super) async fn keys_are_listed_in_byte_order(subject: Subject) {
    let keys = ["b", "a/c", "a/b/c", "a/b/d", "a/é", "a/Z", "c/d/e"];
    for key in keys {
        subject.put(key, b"value").await.unwrap();
    }
    assert_eq!(subject.list("").await, ["a/", "b", "c/"]);
    assert_eq!(subject.list("a/").await, ["Z", "b/", "c", "é"]);
    assert_eq!(subject.list("a/b/").await, ["c", "d"]);
    assert_eq!(subject.list("a/b/c/").await, Vec::<String>::new());
    assert_eq!(subject.list("nothing/").await, Vec::<String>::new());
}

pub(super) async fn a_key_and_a_folder_of_the_same_name_both_appear(subject: Subject) {
    subject.storage().commit(putting(&[("a", b"1"), ("a!", b"2"), ("a/b", b"3"), ("a0", b"4")])).await.unwrap();
    assert_eq!(subject.list("").await, ["a", "a!", "a/", "a0"]);
    let mut batch = Batch::new();
    batch.delete(name("a/b"));
    subject.storage().commit(batch).await.unwrap();
    assert_eq!(subject.list("").await, ["a", "a!", "a0"]);
    assert_eq!(subject.value("a").await.unwrap(), b"1");
}

pub(super) async fn pages_add_up_to_the_whole_list(subject: Subject) {
    let keys = (0..25).map(|n| if n % 3 == 0 { format!("x/{n:02}/y/z") } else { format!("x/{n:02}") });
    let mut batch = Batch::new();
    for key in keys {
        batch.put(name(&key), b"value".to_vec());
    }
    subject.storage().commit(batch).await.unwrap();
    let whole = subject.list("x/").await;
    assert_eq!(whole.len(), 25);
    for limit in 1..8 {
        let mut pages = Vec::new();
        let mut page = Page::first(limit);
        loop {
            let names = subject.storage().list("x/", page).await.unwrap();
            assert!(names.len() <= limit);
            let Some(last) = names.last().cloned() else { break };
            pages.extend(names);
            page = Page { after: Some(last), limit: Some(limit) };
        }
        assert_eq!(pages, whole);
    }
    assert_eq!(subject.storage().list("x/", Page::first(0)).await.unwrap(), Vec::<String>::new());
    let behind = Page { after: Some("22zzz".into()), limit: None };
    assert_eq!(subject.storage().list("x/", behind).await.unwrap(), ["23", "24/"]);
}

pub(super) async fn a_prefix_that_is_not_a_folder_is_refused(subject: Subject) {
    subject.put("a/b", b"value").await.unwrap();
    assert!(matches!(subject.storage().list("a", Page::all()).await, Err(StorageError::BadKey)));
}

pub(super) async fn odd_names_come_back_as_they_were(subject: Subject) {
    let names =
        ["\0", " ", ".", "..", "%2e", "a\u{301}", "á", "\u{10ffff}", "\u{feff}x", "n\nl", "日本", "\u{7f}", "0", "r"];
    for (value, key) in names.iter().enumerate() {
        subject.put(key, value.to_string().as_bytes()).await.unwrap();
        subject.put(&format!("f/{key}/{key}"), value.to_string().as_bytes()).await.unwrap();
    }
    for (value, key) in names.iter().enumerate() {
        assert_eq!(subject.value(key).await.unwrap(), value.to_string().as_bytes());
        assert_eq!(subject.list(&format!("f/{key}/")).await, [*key]);
    }
    let mut sorted: Vec<_> = names.iter().map(|name| format!("{name}/")).collect();
    sorted.sort();
    assert_eq!(subject.list("f/").await, sorted);
}

pub(super) async fn the_longest_keys_are_kept_apart(subject: Subject) {
    let stem = "k".repeat(Key::MAX_LEN - 2);
    let keys: Vec<_> = (10..99).map(|n| format!("{stem}{n}")).collect();
    for chunk in keys.chunks(30) {
        let mut batch = Batch::new();
        for key in chunk {
            batch.put(name(key), key.as_bytes()[Key::MAX_LEN - 2..].repeat(500));
        }
        subject.storage().commit(batch).await.unwrap();
    }
    for key in &keys {
        assert_eq!(subject.value(key).await.unwrap(), key.as_bytes()[Key::MAX_LEN - 2..].repeat(500));
    }
    assert_eq!(subject.list("").await, keys);
}

pub(super) async fn a_list_does_not_walk_subfolders(subject: Subject) {
    for block in 0..10 {
        let mut batch = Batch::new();
        for n in 0..2000 {
            batch.put(name(&format!("big/folder/{block}-{n}")), b"v".to_vec());
        }
        batch.put(name(&format!("small/{block}/only")), b"v".to_vec());
        subject.storage().commit(batch).await.unwrap();
    }
    let mut times = BTreeMap::new();
    for prefix in ["big/", "small/", "big/folder/"] {
        let mut best = Duration::MAX;
        for _ in 0..20 {
            let begin = Instant::now();
            subject.list(prefix).await;
            best = best.min(begin.elapsed());
        }
        times.insert(prefix, best);
    }
    assert_eq!(subject.list("big/").await, ["folder/"]);
    assert_eq!(subject.list("big/folder/").await.len(), 20_000);
    // One key of 20,000 is read: anything near the time of the whole folder means that it was walked.
    assert!(times["big/"] * 20 < times["big/folder/"], "{times:?}");
}
