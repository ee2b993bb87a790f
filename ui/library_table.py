"""The library's recordings: search, filter, and everything that can be done with one of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final, cast

import streamlit as st

from blipper import library as lib
from blipper.errors import LibraryError
from blipper.library import Database, Item, Query
from blipper.library.values import ANSWERS, VerdictState
from blipper.wording import length
from ui import library_compare, library_open, library_state
from ui.evaluation_table import as_csv
from ui.text import plain, printable, shorten

#: Rows that are shown at most; a narrower search finds the rest.
_MOST: Final = 500

#: Keys of the widgets that say what to look for.
FILTERS: Final = ("library_name", "library_tags", "library_verdicts", "library_model", "library_scores")

#: The recording that is shown in detail, and the rows that the table last had selected.
_CHOSEN: Final = "library_chosen"
_SELECTED: Final = "library_selected"

_STATES: Final = {
    "any": "whatever",
    "none": "without a verdict",
    "some": "with a verdict",
    **{answer: f"with a verdict “{answer}”" for answer in ANSWERS},
}


def show(database: Database) -> None:
    """Show the filters, what they find, and the chosen recording."""
    query = _ask(database)
    found = lib.search(database, query, limit=_MOST)
    total = lib.count(database, query)
    if not found:
        if lib.count(database):
            st.info("Nothing fits this search. Widen it above.", icon=":material/search_off:")
        else:
            st.info(
                "The library is empty. Analyse recordings on the Review or the Batch page and press "
                "**Save to the library** there.",
                icon=":material/inbox:",
            )
        return
    if total > len(found):
        st.caption(f"The newest {len(found):,} of {total:,}; narrow the search for the others.")
    chosen = _table(found)
    if chosen is not None:
        _detail(database, chosen)


def _ask(database: Database) -> Query:
    with st.expander("Search and filter", icon=":material/search:", expanded=True):
        name, tags, state = st.columns([2, 2, 2])
        models = lib.read_models(database)
        text = name.text_input(
            "Part of the name", key="library_name", help="Shows only recordings whose name contains this."
        )
        wanted = tags.multiselect(
            "Tags (all of them)",
            list(lib.read_tags(database)),
            key="library_tags",
            format_func=plain,
            help="Shows only recordings that have all of these tags.",
        )
        verdicts = state.selectbox(
            "Verdicts",
            list(_STATES),
            format_func=_STATES.__getitem__,
            key="library_verdicts",
            help="Shows only recordings with or without verdicts.",
        )
        model, scores, days = st.columns([2, 2, 2])
        sha256 = model.selectbox(
            "Model",
            ["", *models],
            format_func=lambda key: "any" if not key else f"{printable(models[key])} ({key[:8]}…)",
            key="library_model",
            help="Shows only recordings that this model scored.",
        )
        # Set here and not as the slider's default: another part may have kept a choice, and both would clash.
        st.session_state.setdefault("library_scores", (0.0, 1.0))
        low, high = scores.slider(
            "Highest score between",
            0.0,
            1.0,
            step=0.05,
            key="library_scores",
            help="Shows only recordings whose highest score lies in this range.",
        )
        dates = days.date_input(
            "Added from, to (UTC)",
            value=(),
            key="library_dates",
            help="Shows only recordings that were added between these days.",
        )
    since, until = _days(dates)
    return Query(
        name=text,
        tags=wanted,
        since=since,
        until=until,
        low=low,
        high=high,
        model=sha256 or None,
        verdicts=cast(VerdictState, verdicts),
    )


def _days(chosen: object) -> tuple[date | None, date | None]:
    days = [day for day in chosen if isinstance(day, date)] if isinstance(chosen, tuple | list) else []
    return (days[0] if days else None, days[1] if len(days) > 1 else None)


def _table(found: Sequence[Item]) -> Item | None:
    columns = {
        "Name": [printable(item.name) for item in found],
        "Added (UTC)": [f"{item.added_at:%Y-%m-%d %H:%M}" for item in found],
        "Length (s)": [round(item.duration, 1) for item in found],
        "Highest score": [item.newest.peak for item in found],
        "Events": [item.newest.n_events for item in found],
        "Sounds mostly": [item.newest.emotion or "–" for item in found],
        "Verdicts": [", ".join(f"{n} {answer}" for answer, n in i.verdicts.items()) or "none" for i in found],
        "Tags": [", ".join(printable(tag) for tag in item.tags) for item in found],
        "Model": [printable(item.newest.model) for item in found],
        "Sound": ["kept" if item.audio else "not kept" for item in found],
        "Deleted on": [f"{i.expires_at:%Y-%m-%d}" if i.expires_at else "–" for i in found],
    }
    event = st.dataframe(
        columns,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="library_table",
        height=min(420, 38 + 35 * len(found)),
        column_config={"Highest score": st.column_config.NumberColumn(format="%.2f")},
    )
    st.download_button(
        "This table (CSV)",
        data=as_csv(columns),
        file_name="blipper-library.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="library_table_csv",
        help="Saves the rows that are shown.",
    )
    rows = list(event.selection.rows) if event is not None else []  # type: ignore[union-attr]
    # A table's selection cannot be set, so the keys choose beside it, and it has its say when it changes.
    if rows != st.session_state.get(_SELECTED, []):
        st.session_state[_SELECTED] = rows
        st.session_state[_CHOSEN] = found[rows[0]].id if rows and rows[0] < len(found) else None
    _keys([item.id for item in found])
    return next((item for item in found if item.id == st.session_state.get(_CHOSEN)), None)


def _keys(ids: Sequence[str]) -> None:
    """Show the buttons, each with its key, that go through the table."""
    chosen = st.session_state.get(_CHOSEN)
    at = ids.index(chosen) if chosen in ids else -1
    before, after, text = st.columns([1.2, 1.2, 4], vertical_alignment="center")
    before.button(
        "Previous",
        icon=":material/arrow_upward:",
        key="library_previous",
        shortcut="K",
        help="Chooses the row above (key K).",
        on_click=_choose,
        args=(ids[max(0, at - 1)],),
        disabled=at < 1,
        width="stretch",
    )
    after.button(
        "Next",
        icon=":material/arrow_downward:",
        key="library_next",
        shortcut="J",
        help="Chooses the row below (key J).",
        on_click=_choose,
        args=(ids[min(at + 1, len(ids) - 1)],),
        disabled=at == len(ids) - 1,
        width="stretch",
    )
    where = (
        f"{at + 1:,} of {len(ids):,}. " if at >= 0 else "Choose a row to open, compare, tag or delete it. "
    )
    text.caption(where + "Keys: **J** next, **K** previous, **O** opens it in Review.")


def _choose(item_id: str) -> None:
    st.session_state[_CHOSEN] = item_id


def _detail(database: Database, item: Item) -> None:
    with st.container(border=True):
        st.subheader(plain(shorten(item.name, 80)), anchor=False)
        st.caption(
            f"{length(item.duration)}, added by {plain(item.added_by)}; SHA-256 {item.sha256[:16]}…; sound "
            + ("kept" if item.audio else "not kept")
        )
        labels = {
            info.id: f"{printable(info.model)}, threshold {info.threshold:.2f}, channels {info.channels}, "
            f"{info.made_at:%Y-%m-%d %H:%M} by {info.made_by}"
            for info in item.analyses
        }
        if len(labels) > 1:
            chosen = st.selectbox(
                "Analysis",
                list(labels),
                format_func=labels.__getitem__,
                key=f"library_analysis_{item.id}",
                help="Which of its analyses is shown and opened.",
            )
        else:
            [chosen] = labels
            st.markdown(f"Analysis: {plain(labels[chosen])}")
        info = next(info for info in item.analyses if info.id == chosen)
        library_open.show(database, item, info)
        _tags(database, item)
        if len(item.analyses) > 1:
            with st.expander(f"Compare two of its {len(item.analyses)} analyses", icon=":material/compare:"):
                library_compare.show(database, item, labels)
        _verdicts(database, item)
        _keep_and_delete(database, item, chosen)


def _tags(database: Database, item: Item) -> None:
    known = list(lib.read_tags(database))
    tags = st.multiselect(
        "Tags",
        sorted({*known, *item.tags}),
        default=list(item.tags),
        accept_new_options=True,
        key=f"library_tags_{item.id}_{'|'.join(item.tags)}",
        format_func=printable,
        placeholder="Choose tags, or type a new one",
        help="Words by which you find this recording again; new ones can be typed.",
    )
    if sorted({" ".join(tag.split()) for tag in tags}) != list(item.tags):
        try:
            lib.tag(database, item.id, tags)
        except LibraryError as error:
            st.error(plain(str(error)))
        else:
            st.rerun()


def _verdicts(database: Database, item: Item) -> None:
    given = lib.read_verdicts(database, item.id)
    if not given:
        return
    with st.expander(f"{len(given)} verdict{'' if len(given) == 1 else 's'}", icon=":material/gavel:"):
        columns = {
            "From (s)": [verdict.start for verdict in given],
            "To (s)": [verdict.end for verdict in given],
            "On": [verdict.target for verdict in given],
            "Verdict": [v.verdict if v.emotion is None else f"{v.verdict}: {v.emotion}" for v in given],
            "Score": [verdict.score for verdict in given],
            "Who": [printable(verdict.analyst) for verdict in given],
            "When (UTC)": [f"{verdict.given_at:%Y-%m-%d %H:%M}" for verdict in given],
            "Note": [printable(verdict.note) for verdict in given],
        }
        st.dataframe(columns, hide_index=True, key=f"library_verdicts_{item.id}")
        st.download_button(
            "These verdicts (CSV)",
            data=as_csv(columns),
            file_name="blipper-verdicts.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            key=f"library_verdicts_csv_{item.id}",
            help="Saves the verdicts that are shown, with names, notes and times.",
        )


def _keep_and_delete(database: Database, item: Item, analysis_id: str) -> None:
    who = library_state.analyst()
    with st.expander("How long it is kept; delete", icon=":material/delete:"):
        if not who:
            st.caption("Type your name at the top first: the audit keeps who changed or deleted something.")
        until = "nobody deletes it" if item.expires_at is None else f"{item.expires_at:%Y-%m-%d %H:%M} UTC"
        st.markdown(f"Kept until **{until}**.")
        days, after, always = st.columns([1, 1.3, 1.3], vertical_alignment="bottom")
        number = days.number_input(
            "Days", 1, 36_500, value=30, key=f"library_days_{item.id}", help="Counted from now."
        )
        if after.button(
            "Delete after these days",
            key=f"library_after_{item.id}",
            disabled=not who,
            width="stretch",
            help="The recording and all about it are deleted by themselves then.",
        ):
            lib.keep(database, item.id, int(number), actor=who)
            st.rerun()
        if always.button(
            "Keep without a limit",
            key=f"library_always_{item.id}",
            disabled=not who or item.expires_at is None,
            width="stretch",
            help="Takes the day of deletion away: only a person deletes it.",
        ):
            lib.keep(database, item.id, None, actor=who)
            st.rerun()
        sound, analysis, everything = st.columns(3)
        gone = None
        if sound.button(
            "Delete its sound now",
            key=f"library_delete_sound_{item.id}",
            disabled=not who or not item.audio,
            width="stretch",
            help="Deletes the kept sound for good; scores and verdicts stay.",
        ):
            gone = lib.delete_sound(database, item.id, actor=who)
        if analysis.button(
            "Delete this analysis now",
            key=f"library_delete_analysis_{item.id}",
            disabled=not who or len(item.analyses) < 2,
            width="stretch",
            help="Verdicts stay with the recording",
        ):
            gone = lib.delete_analysis(database, analysis_id, actor=who)
        if everything.button(
            "Delete everything about it now",
            key=f"library_delete_{item.id}",
            disabled=not who,
            type="primary",
            width="stretch",
            help="Deletes the recording, its analyses, verdicts and tags for good.",
        ):
            with st.spinner("Deleting, and clearing the database's files…"):
                gone = lib.delete_recording(database, item.id, actor=who)
        if gone is not None:
            from ui.library_view import tell

            tell(gone)
            st.rerun()
