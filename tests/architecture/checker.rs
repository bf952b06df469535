//! Reads a source file as a stream of tokens and says where it breaks the rules in `architecture.rs`.
//!
//! As tokens, code inside macros is seen like any other, which a syntax tree does not give; comments,
//! docs and strings are not mistaken for code either.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::{CRATES, PRINT_ROOMS, ROOMS, ROOT_MACROS, SIBLINGS, THREAD_ROOMS, UNSAFE_ROOMS};

/// Every breach of the rules in one file, as `file:line: what`.
pub fn check(path: &str, text: &str, module: Vec<String>, in_tests: bool) -> Vec<String> {
    let mut checker = Checker { path, room: room_of(path), findings: vec![] };
    checker.scan(parse(path, text), &Place { module, in_tests, line: None });
    checker.findings
}

fn parse(path: &str, text: &str) -> TokenStream {
    text.parse().unwrap_or_else(|error| panic!("{path} is not Rust: {error}"))
}

/// The files that `#[cfg(test)] mod name;` declares in this one, with their module paths.
pub fn test_files(path: &str, text: &str) -> Vec<(String, Vec<String>)> {
    let (folder, name) = path.rsplit_once('/').expect("it is under src/");
    let own_folder = if ["mod.rs", "lib.rs", "main.rs"].contains(&name) {
        folder.to_owned()
    } else {
        path.trim_end_matches(".rs").to_owned()
    };
    let tokens: Vec<TokenTree> = parse(path, text).into_iter().collect();
    let mut found = vec![];
    let (mut test_item, mut file) = (false, None);
    for (i, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) if is_attribute(&tokens, i) => {
                test_item |= marks_test(group);
                file = path_attribute(group).or(file);
            }
            TokenTree::Punct(punct) if punct.as_char() == ';' => {
                if test_item && follows_word(&tokens, i - 1, "mod") {
                    let module = word(&tokens, i - 1);
                    let path = match file.take() {
                        Some(file) => format!("{folder}/{file}"),
                        None => format!("{own_folder}/{module}.rs"),
                    };
                    let parents = module_of(&format!("{own_folder}.rs"));
                    found.push((path, [parents, vec![module]].concat()));
                }
                (test_item, file) = (false, None);
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                (test_item, file) = (false, None);
            }
            _ => {}
        }
    }
    found
}

struct Checker<'a> {
    path: &'a str,
    room: String,
    findings: Vec<String>,
}

#[derive(Clone)]
struct Place {
    module: Vec<String>,
    in_tests: bool,
    /// Where the text stands, for code inside a string, whose own lines count from 1.
    line: Option<usize>,
}

impl Place {
    fn line(&self, token: &TokenTree) -> usize {
        self.line.unwrap_or_else(|| token.span().start().line)
    }
}

impl Checker<'_> {
    fn scan(&mut self, stream: TokenStream, place: &Place) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        // Set by `#[test]` and `#[cfg(test)]` until the item's body or `;`.
        let mut test_item = false;
        for (i, token) in tokens.iter().enumerate() {
            let here = Place { in_tests: place.in_tests || test_item, ..place.clone() };
            match token {
                TokenTree::Group(group) if is_attribute(&tokens, i) => {
                    test_item |= marks_test(group);
                    self.attribute(group, &here);
                }
                TokenTree::Group(group) => {
                    let mut inside = here;
                    if group.delimiter() == Delimiter::Brace {
                        if let Some(name) = declared_module(&tokens, i) {
                            inside.module.push(name);
                        }
                        test_item = false;
                    }
                    // `pub(crate)` and `pub(in crate::market)` are no arrows.
                    if !follows_word(&tokens, i, "pub") {
                        self.scan(group.stream(), &inside);
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == ';' => test_item = false,
                TokenTree::Ident(_) => self.word(&tokens, i, &here),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    fn attribute(&mut self, group: &Group, place: &Place) {
        let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
        if word(&tokens, 0) == "doc" {
            return;
        }
        // A file of the same folder, for a test module beside its code, hides nothing.
        // lib.rs takes the skip macros from tests/.
        if self.room != "lib" && path_attribute(group).is_some_and(|file| file.contains('/')) {
            self.report(
                place.line(&tokens[0]),
                "#[path] to another folder would hide where a module comes from",
            );
        }
        self.strings(group.stream(), place);
        self.scan(group.stream(), place);
    }

    /// Serde takes paths in strings: `#[serde(default = "crate::spec::defaults")]`.
    fn strings(&mut self, stream: TokenStream, place: &Place) {
        for token in stream {
            let line = place.line(&token);
            match token {
                TokenTree::Group(group) => self.strings(group.stream(), place),
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    if let Ok(code) = text.trim_matches('"').parse() {
                        self.scan(code, &Place { line: Some(line), ..place.clone() });
                    }
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }

    fn word(&mut self, tokens: &[TokenTree], i: usize, place: &Place) {
        let line = place.line(&tokens[i]);
        let name = word(tokens, i);
        let room = self.room.clone();
        let outside = |rooms: &[&str]| !rooms.contains(&room.as_str());

        if !is_path_sep(tokens, i.wrapping_sub(2)) {
            self.arrow(tokens, i, place);
            let named = is_path_sep(tokens, i + 1)
                || follows_word(tokens, i, "use")
                || follows_word(tokens, i, "crate");
            // `egui_plot` and `egui_tiles` go with `egui`.
            let known = CRATES
                .iter()
                .find(|(krate, _)| name == *krate || name.starts_with("egui_") && *krate == "egui");
            if let (true, Some((_, rooms))) = (named, known)
                && outside(rooms)
            {
                self.report(
                    line,
                    &format!(
                        "`{name}` is used in {room}; only these know it: {}",
                        rooms.join(", ")
                    ),
                );
            }
        }
        if name == "unsafe" && outside(UNSAFE_ROOMS) {
            self.report(line, "`unsafe` stands only in src/torch/");
        }
        if place.in_tests {
            return;
        }
        let starts_threads = name == "ThreadPoolBuilder"
            || name == "thread"
                && is_path_sep(tokens, i + 1)
                && tokens.get(i + 3).is_some_and(names_thread_start);
        if starts_threads && outside(THREAD_ROOMS) {
            self.report(
                line,
                &format!(
                    "a thread is started in {room}; only these do: {}",
                    THREAD_ROOMS.join(", ")
                ),
            );
        }
        let prints = ["println", "eprintln", "print", "eprint"].contains(&name.as_str())
            && is_punct(tokens, i + 1, '!');
        if prints && outside(PRINT_ROOMS) {
            self.report(
                line,
                &format!(
                    "`{name}!` in {room}: only cli and main.rs write to the terminal; send an event"
                ),
            );
        }
        let called_empty = matches!(tokens.get(i + 1), Some(TokenTree::Group(arguments)) if arguments.stream().is_empty());
        if name == "unwrap" && i > 0 && is_punct(tokens, i - 1, '.') && called_empty {
            self.report(
                line,
                "`.unwrap()` outside tests: return the error, or expect(\"why it cannot fail\")",
            );
        }
    }

    /// Reports what the path beginning at `i` leads to, if it begins at the crate root or climbs with `super`.
    fn arrow(&mut self, tokens: &[TokenTree], i: usize, place: &Place) {
        // The two files outside the rooms may use any room.
        if !ROOMS.contains(&self.room.as_str()) {
            return;
        }
        let mut base = place.module.clone();
        match word(tokens, i).as_str() {
            "crate" => base.clear(),
            "walkforge" if is_path_sep(tokens, i + 1) => base.clear(),
            "super" => drop(base.pop()),
            "self" if is_path_sep(tokens, i + 1) => {}
            _ => return,
        }
        let mut ends = vec![];
        if is_path_sep(tokens, i + 1) {
            path_ends(tokens, i + 3, base, place, &mut ends);
        } else {
            ends.push((place.line(&tokens[i]), base));
        }
        for (line, end) in ends {
            let Some(to) = end.first() else {
                self.report(line, "the crate root is imported as a whole: name the room");
                continue;
            };
            if let Some(problem) = forbidden(&self.room, to) {
                self.report(line, &problem);
            }
        }
    }

    fn report(&mut self, line: usize, problem: &str) {
        self.findings.push(format!("{}:{line}: {problem}", self.path));
    }
}

fn forbidden(from: &str, to: &str) -> Option<String> {
    let place = |room| ROOMS.iter().position(|known| *known == room);
    if from == to || ROOT_MACROS.contains(&to) {
        return None;
    }
    let Some(target) = place(to) else {
        return Some(format!("{from} → crate::{to}, which is not a room: everything lives in one"));
    };
    if SIBLINGS.contains(&from) && SIBLINGS.contains(&to) {
        return Some(format!("{from} → {to}: the front ends are siblings, neither uses the other"));
    }
    (Some(target) > place(from)).then(|| {
        format!("{from} → {to}: a room uses only rooms above it, and {to} is below {from}")
    })
}

/// Follows a path from the token after a `::`, into `{…}` groups, to the first name that is not `super`.
fn path_ends(
    tokens: &[TokenTree],
    i: usize,
    mut base: Vec<String>,
    place: &Place,
    ends: &mut Vec<(usize, Vec<String>)>,
) {
    match tokens.get(i) {
        Some(TokenTree::Group(group)) => {
            let inside: Vec<TokenTree> = group.stream().into_iter().collect();
            for part in inside
                .split(|token| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ','))
            {
                path_ends(part, 0, base.clone(), place, ends);
            }
        }
        Some(token @ TokenTree::Ident(ident)) => {
            match ident.to_string().as_str() {
                "super" => drop(base.pop()),
                "self" => {}
                name => base.push(name.trim_start_matches("r#").to_owned()),
            }
            if ident == "super" && is_path_sep(tokens, i + 1) {
                path_ends(tokens, i + 3, base, place, ends);
            } else {
                ends.push((place.line(token), base));
            }
        }
        // `*`: all that the module holds.
        Some(token @ TokenTree::Punct(_)) => ends.push((place.line(token), base)),
        Some(TokenTree::Literal(_)) | None => {}
    }
}

// --- paths and tokens ---------------------------------------------------------------------------

/// `src/market/csv.rs` is module `market::csv`; `src/lib.rs` and `src/main.rs` are roots.
pub fn module_of(path: &str) -> Vec<String> {
    let inside = path.trim_start_matches("src/").trim_end_matches(".rs");
    let inside = inside.strip_suffix("/mod").unwrap_or(inside);
    if inside == "lib" || inside == "main" {
        vec![]
    } else {
        inside.split('/').map(str::to_owned).collect()
    }
}

/// The room, or `lib` or `main` for the two files that stand outside the rooms.
pub fn room_of(path: &str) -> String {
    let inside = path.trim_start_matches("src/").trim_end_matches(".rs");
    inside.split('/').next().unwrap_or_default().to_owned()
}

fn word(tokens: &[TokenTree], i: usize) -> String {
    match tokens.get(i) {
        Some(TokenTree::Ident(ident)) => ident.to_string(),
        _ => String::new(),
    }
}

fn is_punct(tokens: &[TokenTree], i: usize, wanted: char) -> bool {
    matches!(tokens.get(i), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

fn is_path_sep(tokens: &[TokenTree], i: usize) -> bool {
    is_punct(tokens, i, ':') && is_punct(tokens, i.wrapping_add(1), ':')
}

fn follows_word(tokens: &[TokenTree], i: usize, wanted: &str) -> bool {
    i > 0 && word(tokens, i - 1) == wanted
}

/// `#[…]` or `#![…]`.
fn is_attribute(tokens: &[TokenTree], i: usize) -> bool {
    let hash = |i: usize| is_punct(tokens, i, '#');
    let bracket =
        matches!(&tokens[i], TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket);
    bracket && i > 0 && (hash(i - 1) || i > 1 && is_punct(tokens, i - 1, '!') && hash(i - 2))
}

/// `test`, `cfg(test)`, `cfg(all(test, …))`, but not `cfg(not(test))`.
fn marks_test(group: &Group) -> bool {
    let text: String = group.stream().to_string().split_whitespace().collect();
    text == "test" || text == "cfg(test)" || text.starts_with("cfg(all(test,")
}

/// `x.rs` of `#[path = "x.rs"]`.
fn path_attribute(group: &Group) -> Option<String> {
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    (word(&tokens, 0) == "path").then(|| tokens[2].to_string().trim_matches('"').to_owned())
}

/// The name, when the braces at `i` are the body of `mod name {…}`.
fn declared_module(tokens: &[TokenTree], i: usize) -> Option<String> {
    (i > 1 && word(tokens, i - 2) == "mod").then(|| word(tokens, i - 1))
}

fn names_thread_start(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(ident) => ["Builder", "spawn", "scope"].iter().any(|start| ident == start),
        TokenTree::Group(group) => {
            group.stream().into_iter().any(|token| names_thread_start(&token))
        }
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    }
}
