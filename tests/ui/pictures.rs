use crate::bench::Window;

#[test]
fn first_look() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    window.until_label("tasks");
    window.harness.run_steps(3);
    window.harness.render().unwrap().save("/tmp/look-idle.png").unwrap();
}
