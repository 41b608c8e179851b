#pragma once

/// What dig prints of an answer.

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace relab::agent::probes {

struct DigAnswer {
  /// "NOERROR", "NXDOMAIN", ...; empty: there was no answer.
  std::string status = {};
  /// The values of the records of the type that was asked for, sorted, names without the dot at
  /// their end, texts without quotes.
  std::vector<std::string> values = {};
  /// Whether it is all that the server knows. What only points to other servers, or to another name
  /// that was not looked up, says nothing of the records that were asked for.
  bool is_last_word = false;
  /// What it complained about.
  std::string complaint = {};

  bool operator==(const DigAnswer&) const = default;
};

/// Out of the comments, the answer and the authority section. Fault::damaged for records of another
/// form.
Result<DigAnswer> parse_dig(std::string_view text, std::string_view type);

/// A value as an answer has it: "Mail.example." is "mail.example".
std::string plain_value(std::string_view value, std::string_view type);

}  // namespace relab::agent::probes
