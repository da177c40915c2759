//! Every verdict in one text, so that a change of a rule is a readable difference: `golden/decisions.txt`.
//! `NESTLING_BLESS=1` writes it anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use policy::{
    Action, App, Caller, Child, Day, Moment, Pause, Permission, Reach, Region, Rulebook, Schedule,
    ScheduleKind, Usage, Verdict, category, decide,
};

use crate::family::{KINDS, UNUSED, at, family, grant, number, schedule, used, window, zone};

const HEAD: &str = "\
# What is decided: actions by rows, modes by columns. A dash is a yes, any other word the reason of a no.
# Written by crates/policy/tests/policy/matrix.rs with NESTLING_BLESS=1: read every line that changed.
#
# A child of eight, on a Wednesday at noon; all contacts may do all, messages are on. class and bedtime leave guardians
# and no app; custom, a dinner, leaves the family and apps. paused and lost are orders.
";

const MODES: [&str; 6] = ["free", "class", "bedtime", "custom", "paused", "lost"];

/// The rules of a region in a mode; schedules are in force on Wednesdays.
fn rules(region: Region, mode: &str) -> Rulebook {
    let mut rules = family(region);
    rules.policy.time_zone = zone("Asia/Shanghai");
    rules.policy.child = Some(Child { year: 2018, month: 3 });
    rules.policy.apps.extend(["chess", "talker", "older", "over"].map(|id| grant(id, None)));
    rules.policy.apps[4].until = Some(1);
    rules.policy.apps[0].permissions = vec![Permission::Microphone];
    let wednesday = vec![window(&[Day::Wed], "00:00", "00:00")];
    match mode {
        "class" => rules.policy.schedules = vec![schedule(ScheduleKind::Class, wednesday)],
        "bedtime" => rules.policy.schedules = vec![schedule(ScheduleKind::Bedtime, wednesday)],
        "custom" => {
            let dinner = schedule(ScheduleKind::Custom, wednesday);
            rules.policy.schedules = vec![Schedule { calls: Reach::Family, apps: true, ..dinner }];
        }
        "paused" => rules.standing.paused = Some(Pause { until: None }),
        "lost" => rules.standing.lost = true,
        _ => {}
    }
    rules
}

const APPS: [(&str, App<'static>); 6] = [
    ("granted", App { id: "draw", category: "creative", age: 3 }),
    ("a game", App { id: "chess", category: category::GAME, age: 3 }),
    ("a generated voice", App { id: "talker", category: category::GENERATIVE_VOICE, age: 3 }),
    ("for older children", App { id: "older", category: "creative", age: 12 }),
    ("granted until before", App { id: "over", category: "creative", age: 3 }),
    ("nobody granted", App { id: "other", category: "creative", age: 3 }),
];

/// Every row: what is asked, and its action.
fn actions(region: Region) -> Vec<(String, Action<'static>)> {
    let people = KINDS.iter().map(|kind| kind.as_str()).enumerate().chain([(999, "a stranger")]);
    let people: Vec<_> = people.map(|(place, who)| (who, number(place))).collect();
    let mut rows = Vec::new();
    let mut each = |what: &str, action: &dyn Fn(policy::E164) -> Action<'static>| {
        rows.extend(people.iter().map(|(who, number)| (format!("{what} {who}"), action(*number))));
    };
    each("ring", &|number| Action::Ring(Caller::Number(number)));
    each("dial", &|number| Action::Dial(number));
    each("receive", &|number| Action::Receive(Caller::Number(number)));
    each("write", &|number| Action::Write(number));
    for (who, caller) in [("withheld", Caller::Withheld), ("unreadable", Caller::Unreadable)] {
        rows.push((format!("ring {who}"), Action::Ring(caller)));
        rows.push((format!("receive {who}"), Action::Receive(caller)));
    }
    rows.push(("alarm".into(), Action::Alarm));
    let helpline = region.helplines().first().copied().unwrap_or("116111");
    rows.push((format!("helpline {helpline}"), Action::Helpline(helpline)));
    rows.push(("helpline 110".into(), Action::Helpline("110")));
    rows.extend(APPS.iter().map(|(what, app)| (format!("open {what}"), Action::Open(app))));
    let uses = |permission| Action::Use { app: "draw", permission };
    rows.push(("use granted".into(), uses(Permission::Microphone)));
    rows.push(("use not granted".into(), uses(Permission::Camera)));
    rows
}

fn table(
    text: &mut String,
    title: &str,
    region: Region,
    moment: &Moment<'_>,
    change: &dyn Fn(&mut Rulebook),
) {
    write!(text, "\n## {title}\n{:<28}", "").unwrap();
    for mode in MODES {
        write!(text, "{mode:<20}").unwrap();
    }
    for (what, action) in actions(region) {
        write!(text, "\n{what:<28}").unwrap();
        for mode in MODES {
            let mut rules = rules(region, mode);
            change(&mut rules);
            assert_eq!((rules.policy.validate(), rules.standing.validate()), (Ok(()), Ok(())));
            let word = match decide(&rules, moment, &action) {
                Verdict::Allow { .. } => "-",
                Verdict::Deny { reason, .. } => reason.as_str(),
            };
            write!(text, "{word:<20}").unwrap();
        }
    }
    *text = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n";
}

#[test]
fn decisions_are_as_reviewed() {
    let noon = used(at("Asia/Shanghai", "2026-11-25T12:00"), &UNUSED);
    let tuesday = Moment { unix: noon.unix - 86_400, ..noon };
    let saturday = used(at("Asia/Shanghai", "2026-11-28T20:15"), &UNUSED);
    let night = used(at("Asia/Shanghai", "2026-11-25T22:30"), &UNUSED);
    let usage = Usage { day_s: 3600, categories: vec![], running_s: 100, rested_s: 0 };
    let tired = Usage { day_s: 1800, categories: vec![], running_s: 1800, rested_s: 60 };
    let as_it_is = |_: &mut Rulebook| ();
    let mut text = HEAD.to_owned();
    let t = &mut text;
    table(t, "eu", Region::Eu, &noon, &as_it_is);
    table(t, "eu, charging", Region::Eu, &Moment { charging: true, ..noon }, &as_it_is);
    table(t, "eu, the clock set back from Wednesday to Tuesday", Region::Eu, &tuesday, &as_it_is);
    table(t, "eu, contacts may do nothing and messages are off", Region::Eu, &noon, &|rules| {
        let may = policy::May { ring: false, be_called: false, write: false, be_written: false };
        rules.policy.contacts.iter_mut().for_each(|contact| contact.may = may);
        rules.policy.features.messages = false;
    });
    table(t, "eu, messages are off", Region::Eu, &noon, &|rules| rules.policy.features.messages = false);
    table(
        t,
        "eu, ten minutes of games a day, and nobody knows how many were used",
        Region::Eu,
        &Moment::at(noon.unix),
        &|rules| {
            let game = policy::CategoryLimit { category: category::GAME.into(), day_min: 10 };
            rules.policy.allowances.categories = vec![game];
        },
    );
    table(t, "cn", Region::Cn, &noon, &as_it_is);
    table(t, "cn, charging", Region::Cn, &Moment { charging: true, ..noon }, &as_it_is);
    table(t, "cn, the clock set back from Wednesday to Tuesday", Region::Cn, &tuesday, &as_it_is);
    table(t, "cn, at 22:30", Region::Cn, &night, &as_it_is);
    table(t, "cn, on Saturday at 20:15", Region::Cn, &saturday, &as_it_is);
    table(t, "cn, after an hour of apps", Region::Cn, &used(noon.unix, &usage), &as_it_is);
    table(t, "cn, after half an hour without a break", Region::Cn, &used(noon.unix, &tired), &as_it_is);
    table(t, "cn, nobody knows how much was used", Region::Cn, &Moment::at(noon.unix), &as_it_is);
    kept(&text);
}

/// `testkit::golden` knows more than this crate may.
fn kept(text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/decisions.txt");
    if std::env::var_os("NESTLING_BLESS").is_some() {
        fs::write(&file, text).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    for (kept, is) in kept.lines().zip(text.lines()) {
        assert_eq!(kept, is, "decisions are otherwise; look at them, and if it is meant: NESTLING_BLESS=1");
    }
    assert!(kept == text, "decisions have more lines or fewer; if it is meant: NESTLING_BLESS=1");
}
