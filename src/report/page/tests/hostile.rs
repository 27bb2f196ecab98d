//! Any text in any field: the page stays the page, within its limit.

use proptest::prelude::*;
use serde_json::json;

use crate::domain::change::{PlannedResource, Shown};
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::outcome::Verdict;
use crate::report::fixtures::{address, failed, planned, surroundings};
use crate::report::markdown::tests::{any_text, structure};
use crate::report::{Surroundings, comment, summary};

/// Gives the next of a few texts, round and round.
struct Texts<'a>(&'a [String], usize);

impl Texts<'_> {
    fn next(&mut self) -> String {
        self.1 += 1;
        self.0[self.1 % self.0.len()].clone()
    }
}

fn problem(texts: &mut Texts<'_>) -> Diagnostic {
    Diagnostic::error(FailureReason::ApplyFailed, texts.next())
        .at(texts.next(), Pointer::keys(["plugins"]).key(texts.next()))
        .note(texts.next())
        .note(texts.next())
        .help(texts.next())
}

fn spoil(resources: &mut [PlannedResource], texts: &mut Texts<'_>) {
    for resource in resources {
        resource.address = texts.next();
        resource.previous = Some(texts.next());
        for attribute in &mut resource.attributes {
            attribute.path = texts.next();
            attribute.before = Shown::Json(texts.next());
            attribute.after = Shown::Json(json!(texts.next()).to_string());
        }
    }
}

fn spoiled_surroundings(texts: &mut Texts<'_>) -> Surroundings {
    Surroundings {
        command: texts.next(),
        title: texts.next(),
        commit: Some(texts.next()),
        terraform: Some(texts.next()),
        ..surroundings()
    }
}

/// The same pages of the same reports, whatever the texts.
fn pages(texts: &[String], limit: usize) -> Vec<String> {
    let mut texts = Texts(texts, 0);
    let mut run = failed();
    run.problems = Problems(vec![problem(&mut texts), problem(&mut texts)]);
    run.run.tasks.iter_mut().for_each(|task| task.because = Some(texts.next()));
    run.changes.values_mut().for_each(|resources| spoil(resources, &mut texts));
    run.retained = vec![texts.next()];
    run.stale.insert(address("retail/staging/orders/worker.endpoint"), vec![String::new(), String::new()]);
    run.stale.values_mut().flatten().for_each(|consumer| *consumer = texts.next());
    for record in run.connections.values_mut() {
        record.face.attributes.values_mut().for_each(|value| *value = json!({texts.next(): [texts.next()]}));
    }
    let mut plan = planned();
    plan.problems = Problems(vec![problem(&mut texts)]);
    plan.refusals = Problems(vec![problem(&mut texts)]);
    for impact in plan.impact.values_mut() {
        impact.lost.iter_mut().for_each(|resource| *resource = texts.next());
        impact.consumers.iter_mut().for_each(|concerned| concerned.consumer = texts.next());
        impact.attributes.iter_mut().for_each(|change| change.before = Shown::Json(texts.next()));
    }
    for task in &mut plan.tasks {
        match &mut task.verdict {
            Verdict::Changes(resources) => spoil(resources, &mut texts),
            Verdict::Deferred { because } => *because = texts.next(),
            Verdict::Unchanged | Verdict::NoChanges | Verdict::Abandoned | Verdict::Steps { .. } | Verdict::Withheld { .. } => {}
        }
    }
    let problems = Problems(vec![problem(&mut texts)]);
    let around = spoiled_surroundings(&mut texts);
    vec![
        summary::run(&run, &around, limit),
        comment::run(&run, &around, limit),
        summary::plan(&plan, &around, limit),
        comment::plan(&plan, &around, limit),
        summary::refused(&problems, &around, limit),
        comment::refused(&problems, &around, limit),
    ]
}

/// Everything but texts, code and lines of fences, which may be what they like.
fn skeleton(page: &str) -> Vec<String> {
    let nodes = structure(page).into_iter();
    // A text may be words, code, or both.
    let skeleton = nodes.filter(|node| !node.starts_with("text ") && !node.starts_with("code "));
    skeleton
        .map(|node| if node.starts_with("fence ") { node.split(' ').take(2).collect::<Vec<_>>().join(" ") } else { node })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn hostile_texts_change_nothing_of_a_page(texts in prop::collection::vec(any_text(), 7)) {
        let plain: Vec<String> = (0..7).map(|at| format!("a{at}")).collect();
        let filled: Vec<String> = plain.iter().zip(&texts).map(|(plain, text)| format!("{plain}{text}")).collect();
        for (page, expected) in pages(&filled, 1_000_000).iter().zip(pages(&plain, 1_000_000)) {
            let (found, expected) = (skeleton(page), skeleton(&expected));
            let without_fences = |nodes: &[String]| nodes.iter().filter(|node| !node.starts_with("fence ")).cloned().collect::<Vec<_>>();
            // A note or help with several lines is a fence more.
            prop_assert_eq!(without_fences(&found), without_fences(&expected), "{}", page);
        }
    }

    #[test]
    fn hostile_texts_stay_within_every_limit(texts in prop::collection::vec(any_text(), 7), limit in 0_usize..6_000) {
        for page in pages(&texts, limit) {
            prop_assert!(page.len() <= limit);
            let nodes = structure(&page);
            let html: Vec<&String> = nodes.iter().filter(|node| node.starts_with("html ")).collect();
            let count = |start: &str| html.iter().filter(|node| node.starts_with(start)).count();
            prop_assert_eq!(count("html <details>"), count("html </details>"));
            prop_assert_eq!(html.len(), 2 * count("html <details>") + count("html <br>"), "{:?}", html);
            let is_ours = |node: &&String| node.starts_with("link https://github.com/acme/");
            prop_assert!(nodes.iter().filter(|node| node.starts_with("link ")).all(|node| is_ours(&node)));
        }
    }
}
