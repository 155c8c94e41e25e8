//! The table of runs: condition, order, columns, groups.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::all_runs::{default_columns, exact, short};
use super::super::run_table::{RunTable, Selection};
use super::super::words::{counted, escaped};
use super::frame::address;
use crate::metrics::Metric;
use crate::record::RunFields;

/// Rows on one page.
const N_ROWS: usize = 200;

/// Which runs are shown, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunsView {
    /// The condition of `encore runs --where`; empty for all runs.
    pub condition: String,
    /// Fields to sort by; those that begin with `-` descending.
    pub sort: Vec<String>,
    /// Fields to show; empty for the usual ones.
    pub columns: Vec<String>,
    /// The field whose values are groups; empty for none.
    pub group: String,
    /// Whether archived runs are shown.
    pub archived: bool,
    /// The page of the table, from 0.
    pub page: usize,
}

impl RunsView {
    /// Reads the parameters of an address.
    #[must_use]
    pub fn of(parameters: &[(String, String)]) -> Self {
        let mut view = Self::default();
        for (name, value) in parameters.iter().filter(|(_, value)| !value.trim().is_empty()) {
            let list = || value.split(',').map(str::trim).filter(|it| !it.is_empty());
            match name.as_str() {
                "where" => view.condition.clone_from(value),
                "sort" => view.sort.extend(list().map(str::to_owned)),
                "columns" => view.columns.extend(list().map(str::to_owned)),
                "group" => view.group.clone_from(value),
                "archived" => view.archived = value == "true",
                "page" => view.page = value.parse().unwrap_or(0),
                _ => {}
            }
        }
        view
    }

    /// The address of this view.
    fn address(&self) -> String {
        let (sort, columns, page) =
            (self.sort.join(","), self.columns.join(","), self.page.to_string());
        let archived = if self.archived { "true" } else { "" };
        let all = [
            ("where", self.condition.as_str()),
            ("sort", &sort),
            ("columns", &columns),
            ("group", &self.group),
            ("archived", archived),
            ("page", if self.page > 0 { &page } else { "" }),
        ];
        address("/", all.into_iter().filter(|(_, value)| !value.is_empty()))
    }
}

/// The form and the table. `fields` are those of [`RunTable::fields`]. A condition that can't be understood is answered by
/// a sentence above the form.
#[must_use]
pub fn runs_part(view: &RunsView, table: &RunTable, fields: &[String]) -> String {
    let form = form(view, fields);
    match rows(view, table) {
        Ok(rows) => format!("{form}{rows}"),
        Err(message) => {
            let message = escaped(&message.replace("--where, ", "").replace("--sort: ", ""));
            format!("<p class=\"note bad\" role=\"alert\">{message}</p>\n{form}")
        }
    }
}

fn form(view: &RunsView, fields: &[String]) -> String {
    let option = |name: &str, chosen: bool, words: &str| {
        let selected = if chosen { " selected" } else { "" };
        format!("<option value=\"{}\"{selected}>{}</option>", escaped(name), escaped(words))
    };
    let mut groups = option("", view.group.is_empty(), "no groups");
    groups.extend(fields.iter().map(|name| option(name, *name == view.group, name)));
    let column = |name: &String| {
        let checked = if view.columns.contains(name) { " checked" } else { "" };
        let name = escaped(name);
        format!(
            "<label><input type=\"checkbox\" name=\"columns\" value=\"{name}\"{checked}> {name}</label>"
        )
    };
    let columns: String = fields.iter().map(column).collect();
    let [condition, sort] = [&view.condition, &view.sort.join(",")].map(|text| escaped(text));
    let archived = if view.archived { " checked" } else { "" };
    format!(
        "<form class=\"query\" method=\"get\" action=\"/\" role=\"search\">\n\
         <label class=\"wide-field\">Runs where <input name=\"where\" value=\"{condition}\" spellcheck=\"false\" \
         autocomplete=\"off\" placeholder=\"accuracy &gt; 0.6 and dataset = &quot;gtzan&quot;\"></label>\n\
         <label>Sort by <input name=\"sort\" value=\"{sort}\" placeholder=\"-accuracy\" spellcheck=\"false\"></label>\n\
         <label>Groups <select name=\"group\">{groups}</select></label>\n\
         <label><input type=\"checkbox\" name=\"archived\" value=\"true\"{archived}> archived runs too</label>\n\
         <button>Show</button>\n\
         <details><summary>Columns</summary>\n<div class=\"choices\">{columns}</div>\n</details></form>\n"
    )
}

fn rows(view: &RunsView, table: &RunTable) -> Result<String, String> {
    let selection = Selection {
        condition: Some(view.condition.as_str()).filter(|condition| !condition.trim().is_empty()),
        sort: &view.sort,
    };
    let mentioned = RunTable::mentioned(&selection)?;
    let shows_archived = view.archived || mentioned.iter().any(|field| field == "archived");
    let mut selected = table.select(&selection)?;
    let is_archived = |row: &usize| table.runs[*row].get("archived") == Some(&Value::Bool(true));
    let n_all = selected.len();
    selected.retain(|row| shows_archived || !is_archived(row));
    let n_archived = n_all - selected.len();
    if view.sort.is_empty() {
        // What goes on and what is new stands first.
        let key = |row: &usize| {
            let run = &table.runs[*row];
            let is_done = run.get("state").and_then(Value::as_str) == Some("done");
            (!is_done, run.get("started").and_then(Value::as_str).unwrap_or_default())
        };
        selected.sort_by_cached_key(|row| std::cmp::Reverse(key(row)));
    }
    for name in view.columns.iter().chain(Some(&view.group).filter(|name| !name.is_empty())) {
        table.check(name, "columns and groups")?;
    }
    let groups = Groups::of(view, table, &mut selected);
    let runs: Vec<&RunFields> = selected.iter().map(|row| &table.runs[*row]).collect();
    let usual = default_columns(&runs);
    let columns: Vec<&str> = if view.columns.is_empty() {
        usual
    } else {
        view.columns.iter().map(String::as_str).collect()
    };
    let n_pages = runs.len().div_ceil(N_ROWS).max(1);
    let page = view.page.min(n_pages - 1);
    let on_page = page * N_ROWS..((page + 1) * N_ROWS).min(runs.len());
    let is_number = |name: &str| {
        let mut values = runs[on_page.clone()].iter().filter_map(|run| run.get(name)).peekable();
        values.peek().is_some() && values.all(Value::is_number)
    };
    let is_number: Vec<bool> = columns.iter().map(|name| is_number(name)).collect();
    let head: String =
        columns.iter().zip(&is_number).map(|(name, right)| head(view, name, *right)).collect();
    let mut body = String::new();
    for i in on_page.clone() {
        if let Some(group) = groups.at(i, i == on_page.start) {
            body += &groups.heading(group, &runs, &columns);
        }
        body += &line(runs[i], &columns, &is_number);
    }
    let mut said = counted(runs.len(), "run");
    if n_archived > 0 {
        said += &format!(", {n_archived} archived not shown");
    }
    let pages = pages(view, page, n_pages);
    Ok(format!(
        "<div id=\"runs\" data-live=\"runs\">\n<form class=\"selection\" method=\"get\" action=\"/curves\">\n\
         <p>{said}. With those that are marked: \
         <button formaction=\"/curves\">Curves</button> <button formaction=\"/compare\">Compare</button></p>\n\
         <div class=\"scroll\" role=\"region\" aria-label=\"Runs\"><table class=\"runs\"><caption><span>Runs, \
         {}</span></caption>\n<thead><tr><th scope=\"col\"><span class=\"unseen\">mark</span></th>{head}</tr></thead>\n\
         <tbody>{body}</tbody></table></div></form>\n{pages}</div>\n",
        order_words(view)
    ))
}

fn order_words(view: &RunsView) -> String {
    match view.sort.as_slice() {
        [] => "those that go on and new ones first".to_owned(),
        sort => escaped(&format!("sorted by {}", sort.join(", "))),
    }
}

/// A head cell, which sorts by its column, and the other way round if it does already.
fn head(view: &RunsView, name: &str, is_number: bool) -> String {
    let first = view.sort.first().map(String::as_str);
    let down = format!("-{name}");
    let (sort, state) = if first == Some(name) {
        (down, " aria-sort=\"ascending\"")
    } else if first == Some(&down) {
        (name.to_owned(), " aria-sort=\"descending\"")
    } else {
        (if is_number { down } else { name.to_owned() }, "")
    };
    let there = RunsView { sort: vec![sort], page: 0, ..view.clone() }.address();
    let class = if is_number { " class=\"n\"" } else { "" };
    format!("<th scope=\"col\"{class}{state}><a href=\"{there}\">{}</a></th>", escaped(name))
}

fn line(run: &RunFields, columns: &[&str], is_number: &[bool]) -> String {
    let id = escaped(&run.id);
    let mut text = format!(
        "<tr><td><input type=\"checkbox\" name=\"run\" value=\"{id}\" aria-label=\"mark {id}\"></td>"
    );
    for (name, is_number) in columns.iter().zip(is_number) {
        let value = run.get(name);
        let words = value.map(short).unwrap_or_default();
        let title = value.map(exact).filter(|exact| *exact != words);
        let title = title.map_or(String::new(), |it| format!(" title=\"{}\"", escaped(&it)));
        text += &match *name {
            "id" => {
                let there = address(&format!("/run/{}", run.id), []);
                format!("<th scope=\"row\"><a href=\"{there}\">{id}</a></th>")
            }
            "state" => format!("<td>{}</td>", state(run, &words)),
            "tags" => format!("<td>{}</td>", tags(value)),
            "started" => format!("<td class=\"sure\"{title}>{}</td>", escaped(&moment(&words))),
            _ if *is_number => format!("<td class=\"n\"{title}>{}</td>", escaped(&words)),
            _ => format!("<td{title}>{}</td>", escaped(&words)),
        };
    }
    text + "</tr>\n"
}

/// `2026-11-30 14:05` of a time in RFC 3339.
pub(super) fn moment(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}

/// The state of a run; of one that goes on with its epoch.
fn state(run: &RunFields, state: &str) -> String {
    let number = |name: &str| run.get(name).and_then(Value::as_u64);
    let class = match state {
        "done" => return "done".to_owned(),
        "running" => "good",
        "failed" => "bad",
        "interrupted" => "open",
        _ => "apart",
    };
    let epoch = match (number("model.n_epochs"), number("model.max_epochs")) {
        (Some(n), Some(all)) => format!(" {n}/{all}"),
        _ => String::new(),
    };
    format!("<span class=\"verdict {class}\">{}{epoch}</span>", escaped(state))
}

pub(super) fn tags(value: Option<&Value>) -> String {
    let tags = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    tags.map(|tag| format!("<span class=\"tag\">{}</span> ", escaped(tag))).collect()
}

fn pages(view: &RunsView, page: usize, n_pages: usize) -> String {
    if n_pages == 1 {
        return String::new();
    }
    let link = |to: usize, words: &str| {
        let there = RunsView { page: to, ..view.clone() }.address();
        format!("<a href=\"{there}\">{words}</a>")
    };
    let back = if page > 0 { link(page - 1, "Previous") } else { String::new() };
    let next = if page + 1 < n_pages { link(page + 1, "Next") } else { String::new() };
    format!(
        "<nav class=\"pages\" aria-label=\"Pages of the table\">{back} <span>page {} of {n_pages}</span> {next}</nav>\n",
        page + 1
    )
}

/// Rows with equal values of a field, one group after the other.
struct Groups {
    name: String,
    /// The first row of each group with the group's value and its number of rows.
    starts: BTreeMap<usize, (String, usize)>,
}

impl Groups {
    /// Sorts the rows by group, each group where its first row was.
    fn of(view: &RunsView, table: &RunTable, rows: &mut Vec<usize>) -> Self {
        let mut starts = BTreeMap::new();
        if !view.group.is_empty() {
            let value = |row: &usize| table.runs[*row].get(&view.group).map(exact);
            let mut places: BTreeMap<Option<String>, usize> = BTreeMap::new();
            let mut groups: Vec<(Option<String>, Vec<usize>)> = vec![];
            for row in rows.iter() {
                let value = value(row);
                let n = groups.len();
                let place = *places.entry(value.clone()).or_insert(n);
                if place == n {
                    groups.push((value, vec![]));
                }
                groups[place].1.push(*row);
            }
            rows.clear();
            for (value, members) in groups {
                let value = value.unwrap_or_else(|| "none".to_owned());
                starts.insert(rows.len(), (value, members.len()));
                rows.extend(members);
            }
        }
        Self { name: view.group.clone(), starts }
    }

    /// The start of the group that begins at a row, or that a page begins in.
    fn at(&self, row: usize, is_first: bool) -> Option<usize> {
        if self.starts.contains_key(&row) {
            return Some(row);
        }
        let begun = is_first.then(|| self.starts.range(..row).next_back()).flatten();
        begun.map(|(start, _)| *start)
    }

    /// The value, the number of runs, and the means of the scores that are shown.
    fn heading(&self, start: usize, runs: &[&RunFields], columns: &[&str]) -> String {
        let (value, n) = &self.starts[&start];
        let members = &runs[start..start + n];
        let mut words = vec![counted(*n, "run")];
        for name in columns.iter().filter(|name| Metric::named(name).is_some()) {
            let scores: Vec<f64> =
                members.iter().filter_map(|run| run.get(name)?.as_f64()).collect();
            if scores.is_empty() {
                continue;
            }
            let mean = scores.iter().sum::<f64>() / scores.len() as f64;
            let low = scores.iter().copied().fold(f64::INFINITY, f64::min);
            let high = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            words.push(format!("{name}: mean {mean:.3}, {low:.3} to {high:.3}"));
        }
        format!(
            "<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"{}\">{} = {} <small>{}</small></th></tr>\n",
            columns.len() + 1,
            escaped(&self.name),
            escaped(value),
            escaped(&words.join("; "))
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::record::{Fields, Shared};

    fn run(id: &str, own: &Value) -> RunFields {
        let own: Fields = own.as_object().unwrap().clone().into_iter().collect();
        RunFields { id: id.to_owned(), own, shared: Shared::default() }
    }

    fn table() -> RunTable {
        let of = |experiment: &str, accuracy: f64, started: &str| {
            json!({"experiment": experiment, "accuracy": accuracy, "state": "done", "started": started,
                   "task": "classes", "archived": accuracy < 0.2})
        };
        let mut runs = vec![
            run("a-1", &of("a", 0.5, "2026-01-01T10:00:00Z")),
            run("b-1", &of("b<", 0.7, "2026-01-03T10:00:00Z")),
            run("a-2", &of("a", 0.6, "2026-01-02T10:00:00Z")),
            run("old", &of("a", 0.1, "2026-01-02T10:00:00Z")),
        ];
        let going = json!({"state": "running", "model.n_epochs": 3, "model.max_epochs": 9, "experiment": "a",
                           "archived": false});
        runs.push(run("a-3", &going));
        for run in &mut runs {
            run.own.insert("id".to_owned(), json!(run.id));
        }
        RunTable { runs }
    }

    fn part(query: &str) -> String {
        let parameters: Vec<(String, String)> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let table = table();
        let fields: Vec<String> = table.fields().into_iter().map(str::to_owned).collect();
        runs_part(&RunsView::of(&parameters), &table, &fields)
    }

    /// The ids in the order of the table.
    fn ids(html: &str) -> Vec<&str> {
        html.split("name=\"run\" value=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect()
    }

    #[test]
    fn runs_are_selected_sorted_and_grouped() {
        let html = part("");
        assert_eq!(ids(&html), ["a-3", "b-1", "a-2", "a-1"]);
        assert!(html.contains("4 runs, 1 archived not shown") && html.contains("running 3/9"));
        assert_eq!(ids(&part("where=accuracy+%3E+0.55&sort=accuracy")), ["a-2", "b-1"]);
        assert_eq!(ids(&part("archived=true&sort=-accuracy")).len(), 5);
        let html = part("where=accuracy+%3E+0.2&group=experiment&sort=-accuracy");
        assert_eq!(ids(&html), ["b-1", "a-2", "a-1"]);
        assert!(html.contains("experiment = b&lt; <small>1 run; accuracy: mean 0.700"), "{html}");
        assert!(html.contains("accuracy: mean 0.550, 0.500 to 0.600"));
    }

    #[test]
    fn a_wrong_condition_is_said_above_the_form() {
        let html = part("where=acuracy+%3E+1");
        assert!(
            html.starts_with(
                "<p class=\"note bad\" role=\"alert\">column 1: unknown field `acuracy`"
            ),
            "{html}"
        );
        assert!(html.contains("value=\"acuracy &gt; 1\"") && ids(&html).is_empty());
        assert!(part("columns=nothing").contains("unknown field `nothing`"));
    }

    #[test]
    fn a_head_sorts_the_other_way_the_second_time() {
        assert!(
            part("sort=-accuracy")
                .contains("aria-sort=\"descending\"><a href=\"/?sort=accuracy\">")
        );
        assert!(
            part("sort=accuracy").contains("aria-sort=\"ascending\"><a href=\"/?sort=-accuracy\">")
        );
    }
}
