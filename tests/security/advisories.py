"""Published weaknesses of gateways like this one, by family, and the tests that keep each from coming back.

Ids are public: CVE numbers, and the first block of GHSA ids.
"""

from __future__ import annotations

from typing import NamedTuple

HANDSHAKE = "tests/gateway/test_handshake.py"
V4 = "tests/gateway/test_handshake_v4.py"
ORIGIN = "tests/gateway/test_origin.py"
ROUTES = "tests/gateway/http/test_routes.py"
REST = "tests/gateway/http/test_rest.py"
PROBES = "tests/gateway/http/test_probes.py"
RATE = "tests/gateway/test_rate_limit.py"
SETTINGS = "tests/gateway/test_settings.py"
SETUP = "tests/gateway/test_setup_codes.py"
VOUCHED = "tests/gateway/test_vouched_users.py"
PROXY = "tests/gateway/test_proxy_identity.py"
WHOIS = "tests/gateway/tailscale/test_whois.py"
NODES = "tests/gateway/test_nodes.py"
OPERATIONS = "tests/gateway/test_operations.py"
FETCH = "tests/security/test_safe_fetch.py"
OWN = "tests/gateway/test_advisories.py"


class Advisory(NamedTuple):
    """One family: its public ids, what went wrong there, and `path::test` of what shows that it does not here."""

    ids: tuple[str, ...]
    cause: str
    tests: tuple[str, ...]


ADVISORIES: dict[str, Advisory] = {
    "A1": Advisory(
        ("CVE-2026-25253", "GHSA-g8p2"),
        "the page took the gateway's address from its own URL and sent the token there",
        (f"{OWN}::test_the_page_connects_to_where_it_came_from_and_nowhere_else",),
    ),
    "A2": Advisory(
        ("CVE-2026-28458", "GHSA-mr32"),
        "a WebSocket on loopback took any browser origin",
        (
            f"{OWN}::test_pages_of_other_sites_get_in_on_no_path",
            f"{ORIGIN}::test_what_is_no_origin_is_refused_as_such",
            f"{ORIGIN}::test_listed_origins_match_whole_and_without_case",
        ),
    ),
    "A3": Advisory(
        ("host_header_origin_fallback",),
        "the Host header was taken for the truth",
        (
            f"{ROUTES}::test_foreign_host_names_are_not_answered",
            f"{ORIGIN}::test_rebound_host_names_are_refused_on_loopback_only",
            f"{OWN}::test_a_rebound_name_opens_no_socket",
        ),
    ),
    "A4": Advisory(
        ("CVE-2026-25593",),
        "operations could be called before authentication",
        (f"{OWN}::test_no_operation_answers_before_connect",),
    ),
    "A5": Advisory(
        ("CVE-2026-22172", "GHSA-qjpc", "CVE-2026-35663"),
        "scopes a client declared were believed",
        (
            f"{HANDSHAKE}::test_token_only_clients_lose_their_scopes",
            f"{HANDSHAKE}::test_narrow_device_token_never_begets_a_wider_one",
            f"{V4}::test_device_token_alone_never_gets_more_scopes",
            f"{VOUCHED}::test_a_page_without_device_gets_no_scopes_from_the_proxy",
            f"{VOUCHED}::test_a_proxy_may_narrow_what_its_user_may_do",
        ),
    ),
    "A6": Advisory(
        ("CVE-2026-32042", "GHSA-rv39"),
        "a key of one's own making bypassed pairing",
        (
            f"{HANDSHAKE}::test_remote_device_waits_for_approval_and_then_gets_in",
            f"{VOUCHED}::test_a_tailnet_user_authenticates_by_tailscale_and_still_has_to_be_paired",
        ),
    ),
    "A7": Advisory(
        ("CVE-2026-35639", "GHSA-8v95", "CVE-2026-42422"),
        "approving and rotating granted more than the approver had",
        (
            f"{HANDSHAKE}::test_nobody_approves_more_than_they_have",
            f"{OWN}::test_what_is_granted_is_within_what_the_approver_has_and_the_device_asked_for",
            f"{OWN}::test_rotating_widens_nothing",
        ),
    ),
    "A8": Advisory(
        ("CVE-2026-53852", "CVE-2026-53862"),
        "no scopes meant all scopes; a setup code could be used again",
        (
            f"{OWN}::test_a_device_that_asked_for_nothing_has_nothing",
            f"{SETUP}::test_a_setup_code_works_once_even_for_two_at_the_same_time",
            f"{SETUP}::test_a_setup_code_never_grants_more_than_its_profile_and_is_used_up_by_trying",
        ),
    ),
    "A9": Advisory(
        ("CVE-2026-53843", "GHSA-83w9"),
        "a removed node went on by its open session",
        (
            f"{OWN}::test_a_removed_or_revoked_device_is_cut_off_at_once",
            f"{NODES}::test_a_removed_device_is_no_approved_node_any_more",
        ),
    ),
    "A10": Advisory(
        ("CVE-2026-53817", "CVE-2026-35656"),
        "forwarding headers made a stranger local",
        (
            f"{ORIGIN}::test_forwarded_connections_are_never_local_and_headers_count_only_from_trusted_proxies",
            f"{ORIGIN}::test_what_an_unknown_proxy_passes_on_is_nobodys",
            f"{ORIGIN}::test_lines_a_client_sent_above_those_of_the_proxy_count_for_nothing",
            f"{RATE}::test_what_a_proxy_on_this_machine_passes_on_is_counted_and_cannot_choose_its_key",
        ),
    ),
    "A11": Advisory(
        ("GHSA-rggc", "GHSA-xc7w", "GHSA-pchc"),
        "behind a proxy on the same machine everybody was trusted",
        (
            f"{PROXY}::test_a_proxy_on_this_machine_has_to_show_its_secret",
            f"{PROXY}::test_everything_else_is_refused_with_its_reason",
            f"{WHOIS}::test_the_header_alone_is_never_believed",
            f"{WHOIS}::test_a_program_of_another_user_cannot_pass_for_tailscaled",
            f"{SETTINGS}::test_a_trusted_proxy_that_anybody_could_pass_for_is_refused",
            f"{VOUCHED}::test_version_4_wants_to_know_whose_connection_a_proxy_passes_on",
        ),
    ),
    "A12": Advisory(
        ("issue 5120", "issue 9435"),
        "tokens were taken from addresses, and stood in logs",
        (f"{OWN}::test_a_token_in_an_address_opens_nothing_and_is_not_logged",),
    ),
    "A13": Advisory(
        ("GHSA-jmm5", "CVE-2026-33580", "CVE-2026-62220"),
        "secrets were compared in measurable time, and could be guessed without limit",
        (
            f"{OWN}::test_secrets_are_compared_in_constant_time",
            f"{PROBES}::test_guessing_the_token_is_limited_like_any_login",
            f"{REST}::test_guessing_over_rest_is_limited_like_any_login",
            f"{HANDSHAKE}::test_failures_of_a_page_lock_its_origin_out_even_on_loopback",
            f"{SETUP}::test_guessing_setup_codes_locks_the_address_out",
        ),
    ),
    "A14": Advisory(
        ("issue 139494", "issue 68403"),
        "placeholders were taken for secrets",
        (f"{SETTINGS}::test_unsafe_and_unavailable_settings_are_refused_with_path_and_fix",),
    ),
    "A15": Advisory(
        ("GHSA-xmxx", "CVE-2026-41916", "GHSA-275c", "GHSA-4m3v", "GHSA-v8j2"),
        "an old token went on working after it was replaced",
        (f"{OWN}::test_a_replaced_token_ends_everywhere_at_once",),
    ),
    "A16": Advisory(
        ("CVE-2026-34512", "GHSA-cf2p", "GHSA-jhfx"),
        "a route had no check its operation had",
        (
            f"{REST}::test_every_route_wants_a_secret_and_the_scope_of_its_operation",
            f"{OPERATIONS}::test_every_scoped_operation_refuses_a_caller_without_scopes",
        ),
    ),
    "A17": Advisory(
        ("CVE-2026-41335",),
        "strangers were told paths, versions and users",
        (
            f"{OWN}::test_strangers_are_told_neither_paths_nor_secrets",
            f"{OWN}::test_nothing_announces_a_gateway_by_default",
            f"{PROBES}::test_ready_tells_strangers_yes_or_no_only",
            "tests/gateway/discovery/test_beacon.py::test_the_minimal_record_names_port_and_certificate_and_nothing_of_the_machine",
        ),
    ),
    "A18": Advisory(
        ("CVE-2026-26317",),
        "a page of another site could change things on loopback",
        (
            f"{ROUTES}::test_other_sites_may_not_sign_in",
            f"{REST}::test_pages_of_other_origins_may_not_call_even_an_open_gateway",
            f"{VOUCHED}::test_requests_of_other_sites_do_not_use_the_users_standing_at_the_proxy",
        ),
    ),
    "A19": Advisory(
        ("CVE-2026-27009", "CVE-2026-53841", "GHSA-vr7j"),
        "names, messages and files of others were shown as markup, and their scripts ran with the user's rights",
        (
            f"{OWN}::test_no_source_of_the_page_makes_markup_of_a_text",
            f"{OWN}::test_only_scripts_of_this_gateway_run_on_its_page",
            f"{OWN}::test_a_name_with_markup_is_data_wherever_it_is_served",
            f"{OWN}::test_a_file_that_could_be_a_page_is_saved_and_never_shown",
        ),
    ),
    "A20": Advisory(
        ("GHSA-g27f",),
        "what a stranger sent stood in the log as lines of its own",
        (f"{OWN}::test_what_a_client_says_of_itself_stays_one_line_of_the_log",),
    ),
    "A21": Advisory(
        ("GHSA-pv58", "CVE-2026-41393", "GHSA-gv2f"),
        "discovery records led clients, and their tokens, elsewhere",
        (
            "tests/gateway/discovery/test_beacon.py::test_what_texts_claim_about_the_address_leads_nobody_elsewhere",
            "tests/gateway/test_tls.py::test_nothing_is_sent_to_a_server_with_another_certificate",
            "tests/gateway/test_tls.py::test_a_certificate_nobody_vouches_for_is_refused_without_a_pin",
        ),
    ),
    "F1": Advisory(
        ("CVE-2026-6011", "GHSA-56f2", "GHSA-wfp2"),
        "addresses that others named were fetched from the inside of the network",
        (
            f"{FETCH}::test_what_is_inside_is_not_public",
            f"{FETCH}::test_no_way_to_write_this_machine_leads_to_it",
            f"{FETCH}::test_what_is_no_web_address_is_refused",
            "tests/gateway/test_send.py::test_a_file_of_the_web_goes_out_from_hosts_that_may_be_asked",
        ),
    ),
    "F2": Advisory(
        ("GHSA-wxm8",),
        "a name led elsewhere between the check and the connection",
        (f"{FETCH}::test_a_name_that_changes_leads_to_what_was_checked_or_nowhere",),
    ),
    "F4": Advisory(
        ("CVE-2026-53840", "GHSA-9c3v", "GHSA-7vwx"),
        "a redirect led inside, and took credentials along",
        (
            f"{FETCH}::test_a_redirect_is_checked_like_the_first_address",
            f"{FETCH}::test_a_file_is_fetched_with_nothing_of_ours",
        ),
    ),
    "D14": Advisory(
        ("CVE-2026-53816",),
        "a node forged the end of a command for another, and was believed like the owner",
        (
            f"{NODES}::test_no_node_answers_for_another",
            f"{NODES}::test_events_of_nodes_start_runs_that_are_not_the_owners",
            "tests/gateway/test_heartbeats.py::test_what_a_node_reports_is_told_as_untrusted",
        ),
    ),
    "C5": Advisory(
        ("CVE-2026-28478", "CVE-2026-41343", "GHSA-vw3h", "GHSA-4xwj"),
        "strangers could hold sockets and memory without bound",
        (
            "tests/gateway/test_connection.py::test_strangers_may_send_64_kib_and_no_more",
            "tests/gateway/test_connection.py::test_one_address_holds_at_most_32_unauthenticated_sockets",
            f"{RATE}::test_memory_is_bounded",
        ),
    ),
}
