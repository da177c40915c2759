//! Whatever comes, in whatever order: the invariants hold.

use super::*;
use proptest::prelude::*;

/// One thing that happens. Runs are named by how long ago they were, so that most touch the present one.
#[derive(Debug, Clone)]
enum Step {
    Pass(u64),
    Clock(i64),
    Rules(Option<Vec<(bool, Option<i64>)>>),
    Policyd(bool),
    Shell(bool),
    Open(usize),
    Hide,
    Show,
    End(u64),
    Attached(u64, bool),
    Started(u64),
    NotStarted(u64),
    NotDone(u64),
    NothingToEnd(u64),
    Ended(u64, End),
    Gone,
    Catalogue,
}

const APPS: [&str; 3] = ["draw", "maze", "beads"];

fn steps() -> impl Strategy<Value = Step> {
    let ago = || prop_oneof![8 => Just(0_u64), 2 => 1..3_u64];
    let until = proptest::option::of(-100..400_i64);
    let grants = proptest::collection::vec((prop::bool::weighted(0.8), until), 3);
    let end = prop_oneof![
        Just(End::Exited(0)),
        Just(End::Exited(1)),
        Just(End::Signalled(9)),
        Just(End::OutOfMemory)
    ];
    prop_oneof![
        6 => (0..30_u64).prop_map(Step::Pass),
        1 => (0..700_u64).prop_map(Step::Pass),
        1 => (-300..300_i64).prop_map(Step::Clock),
        3 => proptest::option::weighted(0.9, grants).prop_map(Step::Rules),
        2 => prop::bool::weighted(0.7).prop_map(Step::Policyd),
        1 => prop::bool::weighted(0.8).prop_map(Step::Shell),
        8 => (0..APPS.len()).prop_map(Step::Open),
        3 => Just(Step::Hide),
        3 => Just(Step::Show),
        1 => ago().prop_map(Step::End),
        8 => (ago(), prop::bool::weighted(0.9)).prop_map(|(ago, done)| Step::Attached(ago, done)),
        8 => ago().prop_map(Step::Started),
        1 => ago().prop_map(Step::NotStarted),
        1 => ago().prop_map(Step::NotDone),
        1 => ago().prop_map(Step::NothingToEnd),
        4 => (ago(), end).prop_map(|(ago, end)| Step::Ended(ago, end)),
        1 => Just(Step::Gone),
        2 => Just(Step::Catalogue),
    ]
}

impl Watch {
    fn step(&mut self, step: Step) {
        let current = self.session().session;
        let run = |ago: u64| current.saturating_sub(ago);
        match step {
            Step::Pass(time) => self.pass(secs(time)),
            Step::Clock(step) => {
                self.now.unix += step;
                self.event(Event::Tick);
            }
            Step::Rules(grants) => self.rules(grants.map(|grants| {
                let granted = APPS.into_iter().zip(grants).filter(|(_, (granted, _))| *granted);
                let granted: Vec<_> = granted
                    .map(|(app, (_, until))| (app, until.map(|until| self.now.unix + until)))
                    .collect();
                policy(&granted)
            })),
            Step::Policyd(there) => self.policyd(there),
            Step::Shell(there) => self.shell(there),
            Step::Open(app) => self.open(APPS[app]),
            Step::Hide => {
                self.hidden = true;
                self.event(Event::Hide(current));
            }
            Step::Show => {
                self.hidden = false;
                self.event(Event::Show(current));
            }
            Step::End(ago) => self.event(Event::End(run(ago), String::new())),
            Step::Attached(ago, done) => self.event(Event::Attached(run(ago), done)),
            Step::Started(ago) => {
                // A launcher says it once, and only of what it was asked.
                if self.alive.contains_key(&run(ago)) && !self.started.contains(&run(ago)) {
                    self.launcher(Launched::Started(run(ago)));
                }
            }
            Step::NotStarted(ago) => {
                if !self.started.contains(&run(ago)) {
                    self.launcher(Launched::NotStarted(run(ago), Refusal::Storage));
                }
            }
            Step::NotDone(ago) => self.launcher(Launched::NotDone(run(ago), Refusal::NoSession)),
            Step::NothingToEnd(ago) => self.event(Event::Launcher(Launched::NothingToEnd(run(ago)))),
            Step::Ended(ago, end) => self.launcher(Launched::Ended(run(ago), end)),
            Step::Gone => self.launcher(Launched::Gone),
            Step::Catalogue => self.launcher(catalogue(&["draw", "maze"])),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]
    #[test]
    fn a45_whatever_happens_nothing_runs_that_may_not(steps in proptest::collection::vec(steps(), 1..60)) {
        let mut watch = Watch::with(&[("draw", None), ("maze", Some(MORNING + 100))]);
        for step in steps {
            watch.step(step);
        }
        // Left alone it comes to rest.
        watch.pass(secs(2000));
        let gone = watch.policyd_gone.is_some();
        prop_assert!(!gone || watch.session().state != AppState::Running);
    }
}
