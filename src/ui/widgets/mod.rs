//! What several panels draw: named buttons, form rows, empty states, tables, sparklines. Every control has an accessible name.

mod badge;
mod button;
mod cell;
mod choosing;
mod columns;
mod fitted;
mod form;
mod messages;
mod parts;
mod selection;
mod sign;
mod sort;
mod sparkline;
mod table;

pub(super) use badge::determinism;
pub(super) use button::{button, icon_action, icon_button, name, name_toggle, primary_button};
pub(super) use cell::{Align, Cell};
pub(super) use choosing::Choosing;
pub(super) use columns::HiddenColumns;
pub(super) use fitted::Fitted;
pub(super) use form::{Form, Offered, integer_field, number, real_field};
pub(super) use messages::Messages;
pub(super) use parts::{empty_state, hint, issue, level_icon, problem, section, value_row};
pub(super) use selection::{Listed, Pick, Selection};
pub(super) use sign::standing;
pub(super) use sort::{Sort, SortKey, Sorting};
pub(super) use sparkline::Sparkline;
pub(super) use table::{Column, Heading, Table, capital, column, field_title};
