use super::*;

fn position(steps: u64) -> serde_json::Value {
    serde_json::json!({
        "epoch": 2, "step": 3, "steps": steps, "samples": 40, "seconds": 0.1, "epoch_seconds": 0.01,
        "history": [], "micro_batch": 8, "shortages": 0, "not_repeatable": null,
        "stopping": {
            "patience": null, "min_delta": 0.0, "lower_is_better": true, "best": null,
            "epochs_without_improvement": 0
        },
        "schedule": {
            "base": 0.001, "kind": "Constant", "lower_is_better": true, "steps_per_epoch": 5,
            "total_steps": 50, "plateau": { "reductions": 0, "best": null, "bad_epochs": 0 }
        }
    })
}

fn checkpoint(steps: u64) -> Checkpoint {
    let tensors = [
        (
            "weights.a",
            Tensor::from_slice(&[1.5_f32, -0.0, f32::MIN_POSITIVE, steps as f32]).reshape([2, 2]),
        ),
        ("dropout", Tensor::from_slice(&[1_u8, 255, 7])),
        ("sums", Tensor::from_slice(&[0.1_f64, f64::INFINITY])),
        ("scaler.growth_tracker", Tensor::from_slice(&[3_i32])),
    ];
    Checkpoint {
        position: serde_json::from_value(position(steps)).unwrap(),
        tensors: tensors.map(|(name, tensor)| (name.to_owned(), tensor)).into(),
    }
}

fn files(folder: &tempfile::TempDir) -> CheckpointFiles {
    CheckpointFiles::new(folder.path(), ContentHash::of(b"this task"))
}

fn assert_same(a: &Checkpoint, b: &Checkpoint) {
    assert_eq!(a.position, b.position);
    assert_eq!(a.tensors.keys().collect::<Vec<_>>(), b.tensors.keys().collect::<Vec<_>>());
    for (name, tensor) in &a.tensors {
        assert_eq!(tensor.kind(), b.tensors[name].kind(), "{name}");
        let bytes = |tensor: &Tensor| store(name, tensor).unwrap().bytes;
        assert_eq!(bytes(tensor), bytes(&b.tensors[name]), "{name}: bit for bit");
    }
}

#[test]
fn a_checkpoint_comes_back_bit_for_bit_and_the_previous_one_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(&folder);
    assert!(files.read().0.is_none());
    files.write(&checkpoint(1)).unwrap();
    files.write(&checkpoint(2)).unwrap();
    let (read, refused) = files.read();
    assert_same(&read.unwrap(), &checkpoint(2));
    assert!(refused.is_empty());
    std::fs::remove_file(&files.newest).unwrap();
    assert_same(&files.read().0.unwrap(), &checkpoint(1));
    files.remove().unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_damaged_newest_is_refused_by_name_and_the_previous_one_used() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(&folder);
    files.write(&checkpoint(1)).unwrap();
    files.write(&checkpoint(2)).unwrap();
    let whole = std::fs::read(&files.newest).unwrap();
    let damages: Vec<Vec<u8>> = (0..whole.len())
        .step_by(13)
        .flat_map(|at| {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x10;
            [flipped, whole[..at].to_vec()]
        })
        .chain([Vec::new(), b"nonsense".to_vec()])
        .collect();
    assert!(damages.len() > 100);
    for damaged in damages {
        std::fs::write(&files.newest, &damaged).unwrap();
        let (read, refused) = files.read();
        assert_same(&read.unwrap(), &checkpoint(1));
        assert_eq!(refused.len(), 1);
        let message = refused[0].to_string();
        assert!(message.contains("checkpoint.safetensors"), "{message}");
    }
    std::fs::write(&files.previous, b"").unwrap();
    let (read, refused) = files.read();
    assert!(read.is_none() && refused.len() == 2, "both are refused, neither is used");
}

#[test]
fn a_foreign_checkpoint_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    files(&folder).write(&checkpoint(1)).unwrap();
    let other = CheckpointFiles::new(folder.path(), ContentHash::of(b"another task"));
    let (read, refused) = other.read();
    assert!(read.is_none());
    assert!(refused[0].to_string().contains("another task"), "{}", refused[0]);
}

#[test]
fn a_write_that_fails_leaves_the_newest_alone() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(&folder);
    files.write(&checkpoint(1)).unwrap();
    // What cannot be replaced by a file: a folder that is not empty.
    std::fs::create_dir_all(files.aside.join("in the way")).unwrap();
    let error = files.write(&checkpoint(2)).unwrap_err();
    assert!(error.to_string().contains("cannot be written"), "{error}");
    assert_same(&files.read().0.unwrap(), &checkpoint(1));
}
