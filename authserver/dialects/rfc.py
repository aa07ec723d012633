"""Dialect `rfc`: as the RFCs say."""

from authserver.dialects.policy import Policy

RFC = Policy(
    name="rfc",
    loopback_any_port=True,
    unknown_scope="refuse",
    wider_scope_at_refresh="refuse",
    client_authentication="registered method",
    json_bodies=False,
    resource_parameter=True,
    default_token_profile="rfc9068_profile",
    opaque_without_audience=False,
    updated_at="number",
    at_hash=True,
    auth_time="always",
    access_tokens_revocable=True,
    foreign_token_at_revocation="error for confidential clients",
    userinfo_challenge="bearer",
    device_clients="any",
    expired_device_code="always",
)
