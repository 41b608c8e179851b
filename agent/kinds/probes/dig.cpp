#include "agent/kinds/probes/dig.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "common/base/text.h"

namespace relab::agent::probes {

namespace {

constexpr std::size_t line_max = 200;
/// Name, time to live, class, type, value.
constexpr std::size_t columns_min = 5;

/// "\"one\" \"two\"" is "onetwo".
std::string unquoted(std::string_view text) {
  std::string plain;
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      inside = !inside;
    } else if (text[i] == '\\' && i + 1 < text.size()) {
      plain += text[++i];
    } else if (inside) {
      plain += text[i];
    }
  }
  return plain;
}

/// What tells a last word from a referral: https://www.rfc-editor.org/rfc/rfc2308#section-2.2
struct Signs {
  bool authoritative = false;
  bool recursive = false;
  bool in_authority = false;
  bool has_soa = false;
  /// Of any type, among the answers.
  bool has_records = false;
};

/// ";; flags: qr aa rd; QUERY: 1, ANSWER: 0, AUTHORITY: 1, ADDITIONAL: 0"
void read_flags(std::string_view line, Signs& signs) {
  for (const auto flag : words(line.substr(0, line.find(';')))) {
    if (flag == "aa") signs.authoritative = true;
    if (flag == "ra") signs.recursive = true;
  }
}

void read_comment(std::string_view line, DigAnswer& answer, Signs& signs) {
  constexpr std::string_view status = "status: ";
  constexpr std::string_view flags = ";; flags: ";
  if (line.starts_with(";; ->>HEADER<<-")) {
    const auto at = line.find(status);
    if (at != std::string_view::npos)
      answer.status = line.substr(at + status.size(), line.find(',', at) - at - status.size());
    return;
  }
  if (line.starts_with(flags)) return read_flags(line.substr(flags.size()), signs);
  if (line.ends_with(" SECTION:")) signs.in_authority = line == ";; AUTHORITY SECTION:";
  // ";; communications error to 10.0.0.1#53: timed out"
  const bool complains =
      line.starts_with(";; ") && (line.find("error") != std::string_view::npos ||
                                  line.find("timed out") != std::string_view::npos ||
                                  line.find("no servers") != std::string_view::npos);
  if (complains && answer.complaint.empty())
    answer.complaint = clean_text(trim(line.substr(3)).substr(0, line_max));
}

}  // namespace

std::string plain_value(std::string_view value, std::string_view type) {
  if (type == "TXT") return value.starts_with('"') ? unquoted(value) : std::string(value);
  std::string plain;
  for (const auto word : words(value)) plain += (plain.empty() ? "" : " ") + std::string(word);
  if (plain.size() > 1 && plain.ends_with('.')) plain.pop_back();
  std::ranges::transform(plain, plain.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return plain;
}

Result<DigAnswer> parse_dig(std::string_view text, std::string_view type) {
  DigAnswer answer;
  Signs signs;
  for (const auto line : lines(text)) {
    if (line.starts_with(';')) {
      read_comment(line, answer, signs);
      continue;
    }
    if (trim(line).empty()) continue;
    const auto columns = words(line);
    if (columns.size() < columns_min)
      return fail(Fault::damaged, fmt::format("dig printed a record of no known form: {}",
                                              clean_text(line.substr(0, line_max))));
    if (signs.in_authority) {
      signs.has_soa = signs.has_soa || columns[3] == "SOA";
      continue;
    }
    signs.has_records = true;
    if (columns[3] != type) continue;
    const auto value = static_cast<std::size_t>(columns[4].data() - line.data());
    answer.values.push_back(plain_value(trim(line.substr(value)), type));
  }
  std::ranges::sort(answer.values);
  answer.is_last_word = !answer.values.empty() || signs.recursive ||
                        (!signs.has_records && (signs.authoritative || signs.has_soa));
  return answer;
}

}  // namespace relab::agent::probes
