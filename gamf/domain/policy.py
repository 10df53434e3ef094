"""The versioned readings of the rules: one field at least for each `A` rule of rules.md.

A policy travels in the argument of every workflow and its version is printed on every transition, so that the ministry
can change a reading for the attributions to come and an auditor can see which one applied to those that were. A reading
with a single accepted value is one that this version of the software has no other code for: it refuses any other.
"""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

Hours = Annotated[int, Field(ge=1, le=24 * 365)]
Days = Annotated[int, Field(ge=1, le=3660)]
Months = Annotated[int, Field(ge=1, le=120)]


class Policy(BaseModel):
    """Every reading that applies to an attribution or a block; units are in the field's name."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00]*$")] = "2026-05-08"
    answer_hours: Annotated[Hours, Field(description="A1, R6: elapsed hours to answer")] = 72
    answer_grace_working_days: Annotated[Days, Field(description="A2: silence, before the lapse")] = 2
    answer_in_grace: Annotated[bool, Field(description="A3: an answer is taken while unanswered")] = True
    refusal_needs_reason: Annotated[Literal[True], Field(description="A4")] = True
    sv_days: Annotated[Days, Field(description="A5, R8: civil days to enter the SV, day 0 not counted")] = 14
    window_days: Annotated[Days, Field(description="A6, R11: civil days of a reopened window")] = 14
    window_opens_within_days: Annotated[Days, Field(description="A6: how far ahead a window may open")] = 30
    sv_grace_working_days: Annotated[Days, Field(description="A6: no decision, before the lapse")] = 5
    retro_grace_from: Annotated[
        Literal["taken_in"],
        Field(
            description="R11, A6: taken in after its window, the grace counts from that day, not from 22 May"
        ),
    ] = "taken_in"
    retro_letter: Annotated[
        Literal["with_a_window"],
        Field(description="R11, R7: the letter goes to who has neither SV nor MF, once a window is open"),
    ] = "with_a_window"
    grounds_for_gaco: Annotated[tuple[str, ...], Field(description="A7: grounds that open a GACO task")] = (
        "discriminatory",
    )
    task_working_days: Annotated[
        Days, Field(description="A7, A15: working days to do a task that no deadline of the rules ends")
    ] = 5
    not_offered_again: Annotated[bool, Field(description="A8: after a refusal, never the same physician")] = (
        True
    )
    vulnerability: Annotated[Literal["at_attribution"], Field(description="A9: which one R14 looks at")] = (
        "at_attribution"
    )
    mf_months_vulnerable: Annotated[Months, Field(description="R14, A10: vulnerable")] = 12
    mf_months: Annotated[Months, Field(description="R14, A10: not vulnerable")] = 36
    mf_reminder_days: Annotated[
        Days, Field(description="R14: civil days before the term, from which the clinic has a task")
    ] = 60
    late_mf_days: Annotated[Days, Field(description="A11: civil days after the term to receive an MF")] = 90
    mf_reception_days: Annotated[Days, Field(description="A11: civil days from signature to reception")] = 90
    sv_not_before_mf: Annotated[Literal["voided"], Field(description="A12: an SV that never began")] = (
        "voided"
    )
    mf_without_sv: Annotated[bool, Field(description="A13: an MF is taken before any SV")] = True
    elsewhere_returns_to_list: Annotated[Literal[False], Field(description="A14")] = False
    leaving_is_for_good: Annotated[Literal[True], Field(description="A15: off the list, unless undone")] = (
        True
    )
    departure_closes_sv: Annotated[Literal["day_before"], Field(description="A16")] = "day_before"
    replacement_priority: Annotated[Literal["same"], Field(description="A17, R5")] = "same"
    list_order: Annotated[
        tuple[Literal["priority"], Literal["registered_on"], Literal["number"]], Field(description="A18")
    ] = ("priority", "registered_on", "number")
    draw_seats: Annotated[
        Literal["largest_remainder"],
        Field(description="R4: how the seats of a block are divided by a profile"),
    ] = "largest_remainder"
    draw_ages_from: Annotated[
        tuple[Literal[0], Literal[6], Literal[18], Literal[35], Literal[55], Literal[70]],
        Field(description="R4: years, the first of each age band of the population profile"),
    ] = (0, 6, 18, 35, 55, 70)
    draw_ages_on: Annotated[
        Literal["request"], Field(description="R4: ages are those of the local date of the request")
    ] = "request"
    draw_default_profile: Annotated[
        Literal["waiting_list"], Field(description="R4: the shares when the RLS has set no profile")
    ] = "waiting_list"
    draw_inside_group: Annotated[
        Literal["list_order"], Field(description="R4, A18: who of a group is drawn")
    ] = "list_order"
    draw_short_group: Annotated[
        Literal["other_groups_by_share"], Field(description="R4: who gets the seats that a group cannot fill")
    ] = "other_groups_by_share"
    representative_under_years: Annotated[Literal[14], Field(description="A19")] = 14
    corrections: Annotated[Literal["new_record"], Field(description="A20")] = "new_record"
    draw_needs_approval: Annotated[Literal[True], Field(description="A21")] = True
    approval_working_days: Annotated[Days, Field(description="A21: a drawn list, before it is withdrawn")] = 5
    english_needs_attestation: Annotated[Literal[True], Field(description="A22")] = True
    time_zone: Annotated[Literal["rls"], Field(description="A23: whose clock gives the dates")] = "rls"
    outside_enrolment_ends: Annotated[Literal["enrolled_elsewhere"], Field(description="A24")] = (
        "enrolled_elsewhere"
    )
    tell_the_patient: Annotated[bool, Field(description="A25: a letter to who is no longer attributed")] = (
        True
    )


CURRENT: Final = Policy()
"""The policy given to what starts now."""
