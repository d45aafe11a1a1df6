"""What is expected of a rate limiter in front of model APIs, and which test shows each part of it.

The first list is what the field can do today; the others are what a gateway must know of formats
and of callers. A row names its tests, or says why it is open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Open:
    """Not shown yet."""

    reason: str


Shown = str | Sequence[str] | Open
"""Node ids of tests, without the leading `tests/`."""

BEHAVIOUR = Open("behaviour policies are built after the quotas")

QUOTAS: Mapping[str, Shown] = {
    "requests, input/output/total tokens": (
        "test_admission_quotas.py::test_each_unit_settles_on_what_was_reported",
        "decision/test_plan.py::test_each_unit_reserves_its_own_amount",
    ),
    "cached / reasoning weights": (
        "decision/test_settlement.py::test_weighted_tokens_are_settled_by_their_weights",
        "policy/test_weights.py::test_each_kind_of_token_is_counted_once",
    ),
    "money per window": (
        (
            "test_admission_quotas.py::"
            "test_a_budget_in_money_refuses_what_may_exceed_it_and_says_so_in_dollars"
        ),
        "decision/test_settlement.py::test_money_is_settled_at_the_price_of_each_kind_of_token",
    ),
    "crash-safe concurrency lease": (
        "endings/test_store.py::test_a_killed_gauger_keeps_its_tokens_and_no_slot",
        "endings/test_many.py::test_twenty_killed_gaugers_leave_no_slot_and_are_listed",
    ),
    "session / iteration caps": (
        (
            "end_to_end/test_sessions.py::"
            "test_a_loop_of_chats_is_stopped_after_its_rounds_and_other_work_goes_on"
        ),
        "end_to_end/test_sessions.py::test_a_coding_agents_session_is_read_where_it_writes_it",
        "test_admission_quotas.py::test_a_session_has_its_budget_in_money",
    ),
    "limit value from claim or metadata": (
        "end_to_end/test_who_may_call.py::test_a_token_is_taken_by_both_sdks_and_its_subject_pays",
        "test_admission_quotas.py::test_each_plan_is_shown_and_held_to_its_own_limit",
    ),
    "typed conditions": (
        "policy/test_predicate.py::test_what_is_no_condition_is_refused_where_it_is_wrong",
        "test_admission_quotas.py::test_a_quota_holds_only_those_whom_its_condition_means",
    ),
    "group_by, shared or split buckets": (
        "test_admission_quotas.py::test_accounts_that_share_something_share_its_quota",
        "decision/test_plan.py::test_partitions_name_every_fact_and_value",
    ),
    "priority, overrides, always-rules": (
        (
            "end_to_end/test_exceptions.py::"
            "test_an_exception_is_held_to_its_own_limit_and_the_rest_to_the_rule"
        ),
        "decision/test_plan.py::test_an_overridden_quota_overrides_nothing",
        "test_admission_quotas.py::test_what_is_always_holds_beside_every_exception",
    ),
    "key -> team -> org, all must pass": (
        "contract/test_store.py::test_a_plan_may_span_partitions",
        "contract/test_store.py::test_one_refusal_charges_nothing_in_any_order",
    ),
    "calendar / fiscal windows": (
        "test_admission_quotas.py::test_a_calendar_window_begins_anew_at_the_operators_midnight",
        (
            "contract/test_store.py::"
            "test_a_day_begins_at_the_operator_s_midnight_and_lasts_23_hours_in_spring"
        ),
    ),
    "top-up, reset, temporary override": (
        "contract/test_hand.py::test_a_grant_is_added_to_its_quota_until_it_ends",
        "contract/test_hand.py::test_a_reset_forgets_one_quota_in_all_of_the_account_s_partitions",
    ),
    "throttle or cheaper model, not refusal": BEHAVIOUR,
    "sliding window, token bucket, GCRA": (
        "decision/test_sliding.py::test_no_true_window_holds_more_than_the_limit",
        "decision/test_bucket.py::test_a_paced_meter_admits_at_most_burst_and_limit_in_a_window",
        (
            "contract/test_oracle.py::"
            "test_at_any_moment_ours_admits_nothing_that_the_oracle_would_refuse"
        ),
    ),
    "server clock": (
        "contract/test_redis.py::test_two_gateways_with_clocks_an_hour_apart_admit_what_one_would"
    ),
    "all or nothing, 1 round trip": (
        (
            "contract/test_redis.py::"
            "test_a_reservation_is_one_trip_and_as_many_commands_however_much_is_counted"
        ),
        "contract/test_redis.py::test_a_refusal_leaves_every_byte_as_it_was",
    ),
    "local negative cache": Open("every refusal asks the store, in one trip that writes nothing"),
    "Redis Cluster": Open("one server so far; the keys already carry their hash tags"),
    "cost > 1, peek, refund": (
        "contract/test_store.py::test_unused_tokens_come_back_and_excess_is_charged",
        "contract/test_hand.py::test_to_look_changes_nothing",
    ),
    "reserve and reconcile": (
        "end_to_end/test_charging.py::test_the_declared_ceiling_is_reserved_and_no_more_is_charged",
        "sdk_matrix/test_requests.py::test_it_arrives_and_the_models_own_books_are_charged",
    ),
    "force include_usage": (
        "facts/dialects/test_openai_chat.py::test_a_stream_is_asked_for_its_usage",
        "end_to_end/test_openai_sdk.py::test_who_did_not_ask_for_usage_sees_none",
    ),
    "n / best_of / candidates": (
        "endings/test_ceilings.py::test_the_most_that_the_fields_can_mean_is_reserved",
        (
            "facts/dialects/test_openai_completions.py::"
            "test_every_prompt_gets_as_many_choices_as_may_be_written"
        ),
        "end_to_end/test_gemini_sdk.py::test_several_candidates_are_told_apart",
    ),
    "missing max_tokens clamped": (
        "decision/test_plan.py::test_what_nobody_declared_is_cut_to_a_part_of_the_limit",
        "end_to_end/test_refusals.py::test_a_missing_ceiling_never_makes_a_key_unusable",
    ),
    "output estimate": (
        "facts/test_estimate.py::test_the_learned_ceiling_covers_most_answers",
        "test_admission.py::test_an_answer_teaches_the_estimate_for_its_model",
    ),
    "partial billing on disconnect": (
        "endings/test_departures.py::test_a_client_that_leaves_in_mid_stream",
        (
            "end_to_end/test_charging.py::"
            "test_an_abandoned_chat_is_charged_for_its_input_and_what_was_delivered"
        ),
    ),
    "idempotent settle": "contract/test_store.py::test_a_second_settlement_moves_nothing",
    "media estimates": (
        "facts/dialects/test_prompt_size.py::test_an_image_or_a_file_has_a_flat_figure",
        "facts/dialects/test_gemini_prompt.py::test_an_image_or_a_file_has_a_flat_figure",
    ),
    "429 + Retry-After": (
        "end_to_end/test_refusals.py::test_waiting_exactly_as_long_as_told_is_enough",
        "sdk_matrix/test_refusals.py::test_who_waits_as_told_is_served",
    ),
    "x-ratelimit-*": (
        "sdk_matrix/test_requests.py::test_what_remains_is_readable_as_the_page_says",
        (
            "facts/dialects/test_openai_family.py::TestQuotaHeaders::"
            "test_of_two_limits_the_scarcer_is_shown"
        ),
        "facts/dialects/test_anthropic.py::TestQuotaHeaders::test_each_unit_has_its_headers",
    ),
    "RateLimit + RateLimit-Policy": (
        "facts/dialects/test_rate_limit_fields.py::test_the_fields_are_those_of_the_draft",
        "facts/dialects/test_rate_limit_fields.py::test_any_quotas_make_well_formed_fields",
    ),
    "both error envelopes": (
        "sdk_matrix/test_refusals.py::test_the_page_tells_what_happens",
        "facts/dialects/test_gemini.py::TestRefusals::test_a_refusal_has_its_status_and_shape",
    ),
    "names the tripped limit": (
        "decision/test_judge.py::test_the_longest_wait_binds",
        "telemetry/test_spans.py::test_a_refusal_says_by_which_rule_and_why_and_calls_no_model",
    ),
    "retry jitter": (
        "end_to_end/test_exceptions.py::test_a_crowd_is_parted_and_who_waits_as_told_is_served",
        (
            "decision/test_judge.py::"
            "test_jitter_is_added_to_all_that_the_caller_is_told_and_to_nothing_else"
        ),
    ),
    "open/closed switch": (
        "faults/test_redis_faults.py::test_an_open_quota_admits_and_is_counted_afterwards",
        "faults/test_redis_faults.py::test_a_closed_quota_is_unavailable_and_charges_nothing",
    ),
    "local fallback, circuit breaker": (
        "faults/test_redis_faults.py::test_over_an_outage_two_replicas_admit_the_limit_and_no_more",
        "faults/test_redis_faults.py::test_while_the_breaker_is_open_nobody_waits",
    ),
    "shadow per rule": (
        "contract/test_store.py::test_a_shadow_quota_refuses_nothing_and_counts_as_if_it_had",
        "test_admission_quotas.py::test_a_shadow_quota_counts_as_if_it_had_enforced",
    ),
    "schema and expression checks": (
        "policy/test_schema.py::test_whatever_check_accepts_the_schema_accepts",
        "policy/test_parse.py::test_a_file_with_ten_different_mistakes_gets_its_ten_located_errors",
    ),
    "simulate a request, stage, diff": (
        "cli/test_scenario_tests.py::test_what_is_as_expected_is_one_line",
        "cli/test_backtest.py::test_two_directories_are_compared_account_by_account",
    ),
    "hot reload": (
        (
            "reload/test_while_traffic_flows.py::"
            "test_no_request_is_dropped_or_answered_by_a_mixture_while_versions_change"
        ),
        (
            "reload/test_while_traffic_flows.py::"
            "test_a_limit_lowered_in_mid_window_keeps_what_was_used"
        ),
    ),
    "deny by default": (
        "facts/dialects/test_unmetered.py::test_a_known_endpoint_is_refused_by_name",
        "end_to_end/test_refusals.py::test_a_route_that_is_not_metered_is_not_forwarded",
    ),
    "spend anomaly": BEHAVIOUR,
    "actor score over requests": BEHAVIOUR,
    "account clusters": BEHAVIOUR,
    "extraction signals": BEHAVIOUR,
    "canary, indicator export, replay, P/R": Open(
        "replay is there, see simulate; canaries and precision belong to behaviour policies"
    ),
    "admission spans, estimate vs actual": (
        "telemetry/test_spans.py::test_the_server_span_holds_the_request_and_the_decision",
        "telemetry/test_spans.py::test_an_estimated_settlement_says_so_and_reports_no_usage",
    ),
    "GenAI and Prometheus metrics": (
        "telemetry/test_metrics.py::test_an_answered_exchange_is_counted_once_in_every_family",
        "telemetry/test_spans.py::test_the_client_span_holds_the_call_of_the_model",
    ),
    "Helm, sidecar": Open(
        "the sidecar is what every end-to-end test runs; a chart is not written yet"
    ),
}

DIALECTS: Mapping[str, Shown] = {
    "OpenAI chat completions": (
        "end_to_end/test_openai_sdk.py::test_a_chat_is_answered",
        "end_to_end/test_charging.py::test_a_chat_is_charged_by_the_books",
    ),
    "OpenAI completions": (
        "sdk_matrix/test_requests.py::test_it_arrives_and_the_models_own_books_are_charged",
        (
            "facts/dialects/test_openai_completions.py::TestRecordedEngine::"
            "test_usage_of_a_stream_however_it_is_cut"
        ),
    ),
    "OpenAI responses": (
        "third_party_mock/test_dialects.py::test_what_it_reports_is_what_is_charged",
        "proxy/test_formats.py::test_a_stream_of_responses_is_charged_by_its_last_event",
    ),
    "OpenAI embeddings": (
        "sdk_matrix/test_requests.py::test_it_arrives_and_the_models_own_books_are_charged",
        "third_party_mock/test_dialects.py::test_embeddings_are_read_too",
    ),
    "OpenAI models": "end_to_end/test_openai_sdk.py::test_the_models_are_listed",
    "Anthropic messages": (
        "end_to_end/test_anthropic_sdk.py::test_a_stream_adds_up_to_the_message",
        "end_to_end/test_charging.py::test_a_message_is_charged_by_the_books",
    ),
    "Anthropic count_tokens": (
        "end_to_end/test_anthropic_sdk.py::test_tokens_are_counted_without_writing_any"
    ),
    "Gemini generateContent, streamGenerateContent": (
        "end_to_end/test_gemini_sdk.py::test_a_stream_adds_up_to_the_answer",
        "end_to_end/test_gemini_charging.py::test_an_answer_is_charged_by_the_books",
    ),
    "Gemini countTokens": (
        "end_to_end/test_gemini_charging.py::"
        "test_counting_tokens_and_listing_models_cost_a_request_each"
    ),
    "what cannot be metered is refused by name": (
        "facts/dialects/test_unmetered.py::test_a_known_endpoint_is_refused_by_name"
    ),
    "further routes, declared by the operator": (
        "proxy/test_formats.py::"
        "test_what_is_declared_is_served_from_the_reload_on_and_no_longer_after_the_next"
    ),
    "an upstream for each dialect and model": (
        "end_to_end/test_upstreams.py::"
        "test_each_request_goes_to_the_model_api_that_was_named_for_it"
    ),
    "a stream that is stopped is an error in every SDK": (
        "sdk_matrix/test_refusals.py::test_a_stream_that_broke_off_is_never_taken_for_a_whole_one"
    ),
    "every SDK through every refusal": (
        "sdk_matrix/test_refusals.py::test_the_page_tells_what_happens"
    ),
}

CALLERS: Mapping[str, Shown] = {
    "API keys of the accounts file, watched": (
        "end_to_end/test_identity.py::test_a_key_that_was_handed_out_is_taken_and_never_passed_on",
        (
            "reload/test_while_traffic_flows.py::"
            "test_a_key_that_was_removed_is_refused_and_one_that_was_added_is_known"
        ),
    ),
    "JWT: algorithm and audience pinned": (
        "identity/test_tokens.py::test_a_bad_token_is_refused_and_told_why",
        "end_to_end/test_who_may_call.py::test_each_sdk_is_told_why_it_is_not_let_in",
    ),
    "JWT: keys rotated": (
        (
            "identity/test_tokens.py::"
            "test_a_key_that_comes_while_a_token_names_it_is_asked_for_and_taken"
        ),
        "end_to_end/test_who_may_call.py::test_keys_and_proxies_change_while_it_runs",
    ),
    "JWT: claims become attributes": (
        "identity/test_claims.py::test_claims_become_what_they_are_mapped_to"
    ),
    "a header from a trusted front proxy": (
        "proxy/test_identify.py::test_a_trusted_proxy_names_the_account_and_needs_no_key",
        "proxy/test_identify.py::test_from_anybody_else_it_is_not_heard",
    ),
    "the subject of a client certificate": (
        "identity/test_identities.py::test_a_certificate_is_the_account_that_lists_it",
        "identity/test_client_certificate.py::test_no_two_subjects_are_read_as_one",
    ),
    "an end user partitions and never identifies": (
        "proxy/test_spoofing.py::test_an_end_user_is_told_apart_and_pays_nothing"
    ),
    "unknown keys refused, or accounts of their own": (
        (
            "identity/test_identities.py::"
            "test_with_accounts_a_known_key_is_its_account_and_another_nobodys"
        ),
        (
            "end_to_end/test_who_may_call.py::"
            "test_unknown_keys_are_admitted_beside_an_accounts_file_if_it_says_so"
        ),
    ),
    "a refused key leaves no metric": (
        "end_to_end/test_who_may_call.py::test_unknown_callers_are_in_no_metric"
    ),
}

LISTS: Mapping[str, Mapping[str, Shown]] = {
    "What the field can do": QUOTAS,
    "Formats": DIALECTS,
    "Callers": CALLERS,
}
