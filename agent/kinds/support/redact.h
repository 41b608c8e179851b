#pragma once

/// Secrets out of lines that people wrote. What remains is evidence; what looks like a secret is
/// "***", rather once too often.

#include <string>
#include <string_view>

namespace relab::agent {

inline constexpr std::string_view redacted = "***";

/// Whether something by this name holds a secret: it has PASS, TOKEN, SECRET, KEY, CREDENTIAL,
/// AUTH or PSK in it.
bool is_secret_name(std::string_view name);

/// A line of a shell or of a configuration without the values of secret names (NAME=value,
/// --name value, "Name: value"), without passwords in URLs and in name:password@host, without those
/// that well-known programs take by other options, without tokens in the URLs of bots and webhooks,
/// and without what echo and printf pipe into a program. Of a line above 2000 bytes only the
/// beginning.
std::string redact(std::string_view line);

/// `redact` for each line of a text.
std::string redact_all(std::string_view text);

}  // namespace relab::agent
