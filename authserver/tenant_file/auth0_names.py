"""Auth0's names that a tenant file may have and this server does not play: as data, with the reason.

A name that stands neither here nor in the models is a mistake. `lost` says what a setting protects in Auth0 and does
not here; it is a warning when `when` holds for its value. A member that the models know is taken, whatever stands
here.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Unplayed:
    """`why` it is ignored; what would be `lost` with it, `when` its value says so."""

    why: str
    lost: str = ""
    when: Callable[[Any], object] = bool


def _says(*values: object) -> Callable[[Any], object]:
    return lambda value: value in values


def _on(*names: str) -> Callable[[Any], object]:
    """Any of these members is on."""
    return lambda value: isinstance(value, dict) and any(value.get(name) for name in names)


def _off(name: str) -> Callable[[Any], object]:
    """This member is off."""
    return lambda value: isinstance(value, dict) and value.get(name) is False


def _policy(value: object) -> set[Any]:
    return (
        {json.dumps(value.get("policy")).strip('"') if value.get("policy") else None}
        if isinstance(value, dict)
        else set()
    )


def _any_on(name: str) -> Callable[[Any], object]:
    """This member is on in any of the items."""
    return lambda value: isinstance(value, list) and any(isinstance(each, dict) and each.get(name) for each in value)


def _below(hours: float) -> Callable[[Any], object]:
    return lambda value: isinstance(value, int | float) and value < hours


def _many(why: str, names: str) -> dict[str, Unplayed]:
    return {name: Unplayed(why) for name in names.split()}


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


_LOOKS = "the pages are ours, and look as they do"
_MAIL = "no mail leaves this server"
_PHONE = "nothing is sent to phones"
_BY_AUTH0 = "made by Auth0; says nothing that is played"
_LEGACY = "Auth0's older ways are not played"
_B2B = "organizations are not played"
_EXTENSIONS = "forms, flows and other extensions are not played"
_MFA = "no second factor is asked for: a password is enough"

SECTIONS = {
    **_many(_LOOKS, "pages branding prompts themes customDomains"),
    **_many(_MAIL, "emailProvider emailTemplates"),
    **_many(_PHONE, "phoneProviders phoneTemplates guardianFactorProviders guardianFactorTemplates"),
    **_many(_PHONE, "guardianPhoneFactorMessageTypes guardianPhoneFactorSelectedProvider"),
    **_many(_MFA, "guardianPhoneFactorSettings guardianEmailFactorSettings guardianSettings"),
    **_many("events stay in this server's own journal", "logStreams eventStreams"),
    **_many(_EXTENSIONS, "forms flows flowVaults flowVaultConnections actionModules"),
    **_many(_B2B, "selfServiceProfiles connectionProfiles userAttributeProfiles"),
    **_many(_LEGACY, "migrations rulesConfigs"),
    "exclude": Unplayed("speaks to auth0-deploy-cli"),
    "tokenExchangeProfiles": Unplayed("token exchange is not played"),
    "guardianFactors": Unplayed("second factors are not played", _MFA, _any_on("enabled")),
    "guardianPolicies": Unplayed("second factors are not played", _MFA, _on("policies")),
    "attackProtection": Unplayed(
        "wrong passwords and secrets are braked by limits of our own",
        "bots, breached passwords and suspicious addresses are not looked for",
        lambda value: isinstance(value, dict) and any(map(_on("enabled", "bot_detection_level"), value.values())),
    ),
    "networkACLs": Unplayed("addresses are not filtered", "every address may connect", _any_on("active")),
    "rateLimitPolicies": Unplayed("limits are our own", "these limits do not hold"),
    **{
        name: Unplayed("risk is not assessed", "no login is refused or stepped up for its risk", _on("enabled"))
        for name in ("riskAssessment", "riskAssessments", "riskAssessmentsNewDevice", "supplementalSignals")
    },
    "organizations": Unplayed(_B2B, "nobody is kept out for not being a member"),
}

_TENANT = {
    **_many(
        "a setting of the server: AUTHSERVER_SESSION_LIFETIME and AUTHSERVER_IDLE_SESSION_LIFETIME",
        "ephemeral_session_lifetime idle_ephemeral_session_lifetime session_cookie",
    ),
    **_many(_LOOKS, "picture_url support_email support_url enabled_locales universal_login"),
    **_many(_LOOKS, "change_password guardian_mfa_page error_page country_codes default_custom_domain"),
    **_many("Actions here are Python", "sandbox_version legacy_sandbox_version sandbox_versions_available"),
    **_many("clients say what they ask for", "default_directory default_redirection_uri"),
    **_many("quotas are not played", "default_token_quota"),
    **_many(_B2B, "allow_organization_name_in_authentication_api"),
    **_many("the device flow has ways of its own", "device_flow"),
    **_many("logout asks and ends as OpenID Connect says", "oidc_logout sessions"),
    **_many(_MFA, "customize_mfa_in_postlogin_action acr_values_supported disable_acr_values_supported"),
    **_many("metadata says what is played", "pushed_authorization_requests_supported resource_parameter_profile"),
    **_many("metadata says what is played", "client_id_metadata_document_supported"),
    **_many("metadata says what is played", "authorization_response_iss_parameter_supported"),
    **_many("clients are registered by this file alone", "dynamic_client_registration_security_mode"),
    **_many("a client says it for itself", "skip_non_verifiable_callback_uri_confirmation_prompt"),
    **_many(_BY_AUTH0, "enable_ai_guide phone_consolidated_experience"),
    "session_lifetime": Unplayed(
        "a setting of the server: AUTHSERVER_SESSION_LIFETIME (seconds)",
        "logins last 168 hours here unless AUTHSERVER_SESSION_LIFETIME says less",
        _below(168),
    ),
    "idle_session_lifetime": Unplayed(
        "a setting of the server: AUTHSERVER_IDLE_SESSION_LIFETIME (seconds)",
        "unused logins last 72 hours here unless AUTHSERVER_IDLE_SESSION_LIFETIME says less",
        _below(72),
    ),
    "mtls": Unplayed(
        "mutual TLS is not played", "no certificate of a client is asked for", _on("enable_endpoint_aliases")
    ),
}

_FLAGS = {
    **_many(
        _LEGACY,
        "allow_changing_enable_sso allow_legacy_delegation_grant_types allow_legacy_ro_grant_types "
        "allow_legacy_tokeninfo_endpoint change_pwd_flow_v1 disable_impersonation enable_idtoken_api2 "
        "enable_legacy_logs_search_v2 enable_legacy_profile enable_pipeline2 enable_sso "
        "new_universal_login_experience_enabled universal_login "
        "cannot_change_enforce_client_authentication_on_passwordless_start",
    ),
    **_many(
        _BY_AUTH0,
        "custom_domains_provisioning dashboard_insights_view dashboard_log_streams_next "
        "disable_fields_map_fix disable_management_api_sms_obfuscation enable_apis_section "
        "enable_client_connections genai_trial improved_signup_bot_detection_in_classic "
        "remove_alg_from_jwks enable_custom_domain_in_emails",
    ),
    **_many("pages are never framed, and metadata keeps its members", "disable_clickjack_protection_headers"),
    **_many(
        "logins of those strategies are not played",
        "enable_adfs_waad_email_verification no_disclose_enterprise_connections "
        "trust_azure_adfs_email_verified_connection_property",
    ),
    **_many("consent shows the descriptions always", "use_scope_descriptions_for_consent"),
    **_many("clients are registered by this file alone", "enable_dynamic_client_registration"),
    **_many(_MFA, "mfa_show_factor_list_on_enrollment"),
    "revoke_refresh_token_grant": Unplayed("revoking does what it does, see docs/dialects.md"),
    "require_pushed_authorization_requests": Unplayed(
        "pushed requests are not demanded", "authorization requests need not be pushed"
    ),
    "enforce_client_authentication_on_passwordless_start": Unplayed("passwordless login is not played"),
}

_CLIENT = {
    **_many(
        _LOOKS, "description logo_uri custom_login_page custom_login_page_on custom_login_page_preview form_template"
    ),
    **_many(
        _LEGACY,
        "addons callback_url_template client_aliases cross_origin_auth cross_origin_authentication "
        "cross_origin_loc allowed_origins encryption_key oidc_conformant sso",
    ),
    **_many(
        _BY_AUTH0,
        "tenant global signing_keys owners created_at updated_at client_authentication_method "
        "external_client_id external_metadata_created_by external_metadata_type jwks_uri "
        "third_party_security_mode redirection_policy",
    ),
    **_many("no page reads it", "initiate_login_uri is_token_endpoint_ip_header_trusted"),
    **_many("links into apps and native social login are not played", "mobile native_social_login fedcm_login"),
    **_many(
        _B2B,
        "organization_require_behavior organization_discovery_methods default_organization "
        "my_organization_configuration express_configuration b2b_integration_configuration",
    ),
    **_many(
        "token exchange is not played",
        "token_exchange identity_assertion_authorization_grant token_vault_privileged_access anonymous_sessions",
    ),
    **_many("backchannel authentication is not played", "async_approval_notification_channels"),
    **_many("pushed requests are not played", "par_request_expiry"),
    **_many("an API is registered as such", "resource_server_identifier"),
    "require_pushed_authorization_requests": Unplayed(
        "pushed requests are not demanded", "its authorization requests need not be pushed"
    ),
    "require_proof_of_possession": Unplayed("tokens are bearer tokens", "who steals a token of it can use it"),
    "organization_usage": Unplayed(_B2B, "people log in to it without an organization", _says("require")),
    "client_authentication_methods": Unplayed(
        "clients authenticate with a secret", "it authenticates with a shared secret instead of a key or a certificate"
    ),
    "signed_request_object": Unplayed(
        "request objects are not played", "its requests need not be signed", _on("required")
    ),
    "compliance_level": Unplayed(
        "compliance levels are not played", "it is not held to this level", lambda value: value not in (None, "none")
    ),
    "allowed_clients": Unplayed(_LEGACY),
    "sso_disabled": Unplayed("logins are shared between applications", "a login elsewhere logs people in to it, too"),
    "token_quota": Unplayed("quotas are not played", "it may have as many tokens as it asks for"),
    "session_transfer": Unplayed("sessions are not transferred"),
    **{
        name: Unplayed(
            "no logout tokens are sent", "its own sessions live on after a logout here", _on("backchannel_logout_urls")
        )
        for name in ("oidc_logout", "oidc_backchannel_logout")
    },
}

_SOURCE = {
    **_many(_BY_AUTH0, "id realms is_domain_connection metadata show_as_button provisioning_ticket_url"),
    **_many("people are not provisioned", "scim_configuration directory_provisioning_configuration"),
    **_many(
        "accounts and apps are not connected",
        "connected_accounts cross_app_access_requesting_app cross_app_access_resource_app",
    ),
    "authentication": Unplayed("every connection is for logging in", "people can log in with it", _off("active")),
}

_DATABASE_OPTIONS = {
    **_many(
        _BY_AUTH0,
        "api_enable_users basic_profile ext_admin ext_agreed_terms ext_assigned_plans ext_groups "
        "ext_is_suspended ext_profile strategy_version precedence bareConfiguration upstream_params "
        "set_user_root_attributes federated_connections_access_tokens enable_script_context configuration "
        "non_persistent_attrs realm_fallback email",
    ),
    **_many("people log in by email", "attributes validation username"),
    **_many("wrong passwords are always braked", "brute_force_protection"),
    **_many("people are imported by `--users`", "import_mode"),
    **_many("passkeys are not played", "passkey_options"),
    "mfa": Unplayed("second factors are not played", _MFA, _on("active")),
    "enabledDatabaseCustomization": Unplayed("scripts do not run", "your own database does not decide who logs in"),
    "customScripts": Unplayed("scripts do not run: JavaScript", "what these scripts refuse is not refused"),
    "gateway_authentication": Unplayed("scripts do not run: JavaScript"),
    "authentication_methods": Unplayed(
        "people log in with a password",
        "a password is enough",
        lambda value: isinstance(value, dict) and _off("enabled")(value.get("password")),
    ),
    "password_history": Unplayed("passwords are not remembered", "old passwords may be chosen again", _on("enable")),
    "requires_username": Unplayed(
        "people log in with their email address", "nobody needs a username", lambda value: value is True
    ),
    "password_options": Unplayed("password rules are passwordPolicy and its minimal length", "these rules do not hold"),
    "disable_self_service_change_password": Unplayed("people may change their password"),
}

_API = {
    **_many(_BY_AUTH0, "id is_system client_id verificationKey verificationLocation verification_location"),
    **_many("tokens are signed with published keys", "signing_secret"),
    **_many("one lifetime for all", "token_lifetime_for_web"),
    **_many("refresh tokens are for offline access", "allow_online_access allow_online_access_with_ephemeral_sessions"),
    **_many("rich authorization requests are not played", "authorization_details"),
    "proof_of_possession": Unplayed(
        "tokens are bearer tokens", "who steals a token for it can use it", _on("required")
    ),
    "token_encryption": Unplayed("tokens are signed, not encrypted", "who sees a token for it can read it"),
    "consent_policy": Unplayed(
        "consent is asked once",
        "single transactions are not consented to",
        lambda value: value not in (None, "standard"),
    ),
    "subject_type_authorization": Unplayed(
        "people by roles and consent, clients by clientGrants",
        "people's access is not limited by client",
        lambda value: isinstance(value, dict) and not _policy(value.get("user")) <= {None, "allow_all"},
    ),
}

MEMBERS = {
    "": SECTIONS,
    "tenant": _TENANT,
    "tenant.flags": _FLAGS,
    "clients[]": _CLIENT,
    "clients[].refresh_token": _many("one refresh token is for one API", "policies"),
    "clients[].jwt_configuration": _many("tokens carry the claims that they do", "secret_encoded scopes"),
    "resourceServers[]": _API,
    "resourceServers[].scopes[]": {},
    "clientGrants[]": {
        **_many(_BY_AUTH0, "id is_system default_for"),
        **_many("scopes are listed", "allow_all_scopes authorization_details_types"),
        **_many(_B2B, "allow_any_organization"),
        **_many("a grant is for the client itself", "subject_type"),
        "organization_usage": Unplayed(_B2B, "it gets tokens without an organization", _says("require")),
    },
    "databases[]": _SOURCE,
    "databases[].options": _DATABASE_OPTIONS,
    "connections[]": _SOURCE,
    "roles[]": _many(_BY_AUTH0, "id"),
    "roles[].permissions[]": _many(_BY_AUTH0, "description resource_server_name"),
    "actions[]": {
        **_many("Actions here are Python", "runtime dependencies modules"),
        **_many(
            _BY_AUTH0,
            "id status created_at updated_at all_changes_deployed built_at integration "
            "installed_integration_id deployed_version current_version deploy",
        ),
    },
    "actions[].supported_triggers[]": _many(
        _BY_AUTH0, "url status runtimes default_runtime compatible_triggers binding_policy"
    ),
    "actions[].secrets[]": _many(_BY_AUTH0, "updated_at"),
    "triggers[]": _many(_BY_AUTH0, "id trigger_id created_at updated_at secrets ref"),
}
"""By place, as the models have them; `[]` for each of a list."""

NOT_RUN = {
    "rules": "JavaScript, and of Auth0's older ways",
    "hooks": "JavaScript, and of Auth0's older ways",
}

GRANT_TYPES = _set(
    "authorization_code client_credentials http://auth0.com/oauth/grant-type/mfa-oob "
    "http://auth0.com/oauth/grant-type/mfa-otp http://auth0.com/oauth/grant-type/mfa-recovery-code "
    "http://auth0.com/oauth/grant-type/passwordless/otp "
    "http://auth0.com/oauth/grant-type/password-realm "
    "http://auth0.com/oauth/legacy/grant-type/access_token "
    "http://auth0.com/oauth/legacy/grant-type/delegation/id_token "
    "http://auth0.com/oauth/legacy/grant-type/delegation/refresh_token "
    "http://auth0.com/oauth/legacy/grant-type/ro "
    "http://auth0.com/oauth/legacy/grant-type/ro/jwt-bearer implicit password refresh_token "
    "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token "
    "urn:ietf:params:oauth:grant-type:device_code urn:ietf:params:oauth:grant-type:token-exchange "
    "urn:okta:params:oauth:grant-type:webauthn urn:openid:params:grant-type:ciba"
)

APP_TYPES = _set(
    "native spa regular_web non_interactive resource_server express_configuration rms box cloudbees "
    "concur dropbox mscrm echosign egnyte newrelic office365 salesforce sentry sharepoint slack "
    "springcm zendesk zoom sso_integration oag"
)

STRATEGIES = _set(
    "ad adfs amazon apple aol auth0 auth0-oidc baidu bitbucket bitly box custom daccount dropbox "
    "dwolla email evernote evernote-sandbox exact facebook fitbit flickr github google-apps "
    "google-oauth2 instagram ip line linkedin miicard oauth1 oauth2 office365 oidc okta paypal "
    "paypal-sandbox pingfederate planningcenter renren salesforce salesforce-community "
    "salesforce-sandbox samlp sharepoint shop shopify sms soundcloud thecity thecity-sandbox "
    "thirtysevensignals twitter untappd vkontakte waad weibo windowslive wordpress yahoo yammer "
    "yandex"
)

TRIGGERS = _set(
    "post-login credentials-exchange pre-user-registration post-user-registration "
    "post-change-password send-phone-message password-reset-post-challenge custom-token-exchange "
    "custom-phone-provider custom-email-provider login-post-identifier signup-post-identifier "
    "password-hash-migration event-stream"
)

USER_MEMBERS = {
    **_many("people log in by email", "username"),
    **_many(
        _BY_AUTH0,
        "password_set_date identities created_at updated_at last_login last_ip logins_count "
        "last_password_reset multifactor_last_modified",
    ),
    "mfa_factors": Unplayed("second factors are not played", _MFA),
    "multifactor": Unplayed("second factors are not played", _MFA),
}
"""Of a bulk-import file's users."""
