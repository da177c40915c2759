//! Apps: granted, fit for the child and the region, and then a matter of time.

use super::gates::{Gates, Who};
use super::{Now, no};
use crate::app::Permission;
use crate::region::Rule;
use crate::standing::Rulebook;
use crate::verdict::{App, Reason, Verdict};

/// Until when somebody granted the app: by the policy or beside it, whichever lasts longer.
fn granted(rules: &Rulebook, app: &str) -> Option<i64> {
    if rules.standing.revoked.iter().any(|revoked| revoked == app) {
        return None;
    }
    let end = |until: Option<i64>| until.unwrap_or(i64::MAX);
    let policy = rules.policy.grant_of(app).map(|grant| end(grant.until));
    let extra = rules.standing.grants.iter().find(|grant| grant.app == app).map(|grant| end(grant.until));
    policy.max(extra)
}

pub(super) fn open(rules: &Rulebook, now: Now<'_>, app: &App<'_>) -> Verdict {
    let Some(end) = granted(rules, app.id) else { return no(Reason::NotGranted) };
    let forbidden = |rule| matches!(rule, Rule::Forbidden(category) if category == app.category);
    if rules.policy.region.clauses().iter().any(|clause| forbidden(clause.rule)) {
        return no(Reason::RegionForbids);
    }
    if now.latest >= end {
        return no(Reason::TimeUp);
    }
    if rules.standing.lost {
        return no(Reason::Lost);
    }
    Gates::new(rules, now, Who::App { app, end }).verdict()
}

/// What an app uses while it is open: its grant in the policy must have the permission. A grant beside the policy has
/// none. Whether the app may be open now is another question.
pub(super) fn uses(rules: &Rulebook, now: Now<'_>, app: &str, permission: Permission) -> Verdict {
    let Some(end) = granted(rules, app) else { return no(Reason::NotGranted) };
    if now.latest >= end {
        return no(Reason::TimeUp);
    }
    match rules.policy.grant_of(app) {
        Some(grant)
            if grant.until.is_none_or(|until| now.latest < until)
                && grant.permissions.contains(&permission) =>
        {
            Verdict::Allow { until: grant.until }
        }
        _ => no(Reason::NoPermission),
    }
}
