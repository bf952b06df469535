//! Named models.

use walkforge::runs::{
    ModelEntry, ModelStage, RunIndex, StoreError, annotate_model, delete_run, register_model,
    remove_model, set_stage,
};

use crate::support::{beginning_with, id, interrupted, open, task_ids};

fn names(models: &[ModelEntry]) -> Vec<String> {
    models.iter().map(ToString::to_string).collect()
}

#[test]
fn a_name_has_versions_and_at_most_one_champion() {
    let root = tempfile::tempdir().unwrap();
    let run = id(&interrupted(root.path(), 3));
    let tasks = task_ids(3);
    for (version, task) in (1..).zip(&tasks) {
        let entry = register_model(root.path(), "gold-1h", &run, task).unwrap();
        assert_eq!((entry.version, entry.stage), (version, ModelStage::Candidate));
        assert_eq!((&entry.run, &entry.task), (&run, task));
    }
    register_model(root.path(), "a.b", &run, &tasks[0]).unwrap();
    let index = RunIndex::open(root.path()).unwrap();
    let chosen = |name: &str| index.model(name).map(|model| model.to_string());
    assert_eq!(names(&index.models().unwrap()), ["a.b@1", "gold-1h@1", "gold-1h@2", "gold-1h@3"]);
    assert_eq!(chosen("gold-1h").unwrap(), "gold-1h@3", "without a champion the newest");
    assert!(matches!(chosen("gold-1h@champion"), Err(StoreError::UnknownModel { .. })));

    set_stage(root.path(), "gold-1h", 1, ModelStage::Champion).unwrap();
    assert_eq!(chosen("gold-1h").unwrap(), "gold-1h@1");
    set_stage(root.path(), "gold-1h", 2, ModelStage::Champion).unwrap();
    assert_eq!(chosen("gold-1h@champion").unwrap(), "gold-1h@2");
    assert_eq!(index.model("gold-1h@1").unwrap().stage, ModelStage::Archived);
    annotate_model(root.path(), "gold-1h", 2, &["live".to_owned()], "since May").unwrap();
    let model = index.model("gold-1h@2").unwrap();
    assert_eq!((model.tags, model.notes.as_str()), (vec!["live".to_owned()], "since May"));

    remove_model(root.path(), "gold-1h", 3).unwrap();
    let next = register_model(root.path(), "gold-1h", &run, &tasks[0]).unwrap();
    assert_eq!(next.version, 4, "a number never means another model");
    for unknown in ["gold", "gold-1h@9", "gold-1h@x", "@1", ""] {
        let error = chosen(unknown).unwrap_err();
        assert!(
            matches!(&error, StoreError::UnknownModel { name, .. } if name == unknown),
            "{error}"
        );
    }
    for done in [
        set_stage(root.path(), "gold-1h", 3, ModelStage::Champion),
        annotate_model(root.path(), "gold-1h", 3, &[], ""),
        remove_model(root.path(), "gold-1h", 3),
    ] {
        assert!(matches!(done.unwrap_err(), StoreError::UnknownModel { .. }));
    }
    assert_eq!(chosen("gold-1h@champion").unwrap(), "gold-1h@2");
}

#[test]
fn names_fit_into_file_names_and_only_finished_tasks_get_one() {
    let root = tempfile::tempdir().unwrap();
    let run = id(&interrupted(root.path(), 1));
    let tasks = task_ids(2);
    let long = "x".repeat(65);
    for name in ["", "a b", "../up", "a/b", ".hidden", "-x", "gold@2", "größe", long.as_str()] {
        let error = register_model(root.path(), name, &run, &tasks[0]).unwrap_err();
        assert!(matches!(error, StoreError::ModelName { .. }), "{name}: {error}");
    }
    let error = register_model(root.path(), "gold", &run, &tasks[1]).unwrap_err();
    assert_eq!(error, StoreError::NotFinished { run: run.clone(), task: tasks[1].clone() });
    let nobody = walkforge::domain::RunId::new("nobody");
    let error = register_model(root.path(), "gold", &nobody, &tasks[0]).unwrap_err();
    assert!(matches!(error, StoreError::UnknownRun { .. }), "{error}");
    assert_eq!(RunIndex::open(root.path()).unwrap().models().unwrap(), []);
}

#[test]
fn a_model_whose_weights_are_damaged_gets_no_name() {
    let root = tempfile::tempdir().unwrap();
    let folder = interrupted(root.path(), 1);
    let task = &task_ids(1)[0];
    let weights = folder.task(task).join("weights.safetensors");
    std::fs::write(&weights, "weights").unwrap();
    let error = register_model(root.path(), "gold", &id(&folder), task).unwrap_err().to_string();
    assert!(error.contains("weights.safetensors: is damaged"), "{error}");
    assert_eq!(RunIndex::open(root.path()).unwrap().models().unwrap(), []);
}

#[test]
fn the_run_of_a_model_is_not_deleted() {
    let root = tempfile::tempdir().unwrap();
    let folder = interrupted(root.path(), 1);
    let run = id(&folder);
    register_model(root.path(), "gold", &run, &task_ids(1)[0]).unwrap();
    let error = delete_run(root.path(), &run).unwrap_err();
    assert_eq!(error, StoreError::HasModel { run: run.clone(), model: "gold@1".to_owned() });
    assert!(folder.manifest().is_ok());
    remove_model(root.path(), "gold", 1).unwrap();
    delete_run(root.path(), &run).unwrap();
    assert!(!folder.path().exists());
}

#[test]
fn the_registry_outlives_the_index() {
    let root = tempfile::tempdir().unwrap();
    let run = id(&interrupted(root.path(), 2));
    for task in task_ids(2) {
        register_model(root.path(), "gold", &run, &task).unwrap();
    }
    set_stage(root.path(), "gold", 1, ModelStage::Champion).unwrap();
    remove_model(root.path(), "gold", 2).unwrap();
    let before = RunIndex::open(root.path()).unwrap().models().unwrap();
    for file in beginning_with(root.path(), "index.sqlite3") {
        std::fs::remove_file(file).unwrap();
    }
    drop(open(root.path()));
    assert_eq!(RunIndex::open(root.path()).unwrap().models().unwrap(), before);
    let next = register_model(root.path(), "gold", &run, &task_ids(1)[0]).unwrap();
    assert_eq!(next.version, 3);
}

#[test]
fn a_registry_that_is_damaged_keeps_no_run_closed() {
    let root = tempfile::tempdir().unwrap();
    let run = id(&interrupted(root.path(), 2));
    for task in task_ids(2) {
        register_model(root.path(), "gold", &run, &task).unwrap();
    }
    let file = root.path().join("models.json");
    let sound = std::fs::read_to_string(&file).unwrap();
    for damaged in ["{\"models\": [", "{}", ""] {
        for index in beginning_with(root.path(), "index.sqlite3") {
            std::fs::remove_file(index).unwrap();
        }
        std::fs::write(&file, damaged).unwrap();
        let store = open(root.path());
        let warnings = store.warnings();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        for piece in ["models.json was damaged", "it is now", "models.damaged-"] {
            assert!(warnings[0].contains(piece), "{warnings:?}");
        }
        let index = RunIndex::open(root.path()).unwrap();
        assert_eq!((index.models().unwrap(), index.find(run.as_str()).is_ok()), (vec![], true));
        let aside = beginning_with(root.path(), "models.damaged-");
        assert_eq!(std::fs::read_to_string(&aside[aside.len() - 1]).unwrap(), damaged);
        for aside in aside {
            std::fs::remove_file(aside).unwrap();
        }
    }
    // Mended, and given its name back.
    std::fs::write(&file, sound).unwrap();
    drop(open(root.path()));
    assert_eq!(RunIndex::open(root.path()).unwrap().models().unwrap().len(), 2);
}

/// A folder in the place of its file stands for a disk that takes nothing.
#[test]
fn a_change_that_cannot_be_kept_is_not_made() {
    let root = tempfile::tempdir().unwrap();
    let run = id(&interrupted(root.path(), 1));
    std::fs::create_dir_all(root.path().join("models.json/full")).unwrap();
    let error = register_model(root.path(), "gold", &run, &task_ids(1)[0]).unwrap_err().to_string();
    assert!(error.contains("models.json: cannot be "), "{error}");
    assert_eq!(RunIndex::open(root.path()).unwrap().models().unwrap(), []);
}
