#include "agent/kinds/support/json.h"

#include <cmath>

#include "common/base/number.h"

namespace relab::agent {

namespace {

constexpr double first_beyond_uint64 = 18446744073709551616.0;

}  // namespace

Result<Json> parse_json(std::string_view text, std::string_view what) {
  auto json = Json::parse(text, nullptr, false);
  if (json.is_discarded())
    return fail(Fault::damaged, std::string(what) + " printed no valid JSON");
  return json;
}

const Json& member(const Json& object, std::string_view key) {
  static const Json none;
  if (!object.is_object()) return none;
  const auto found = object.find(key);
  return found == object.end() ? none : *found;
}

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number() || value.is_boolean()) return value.dump();
  return {};
}

std::optional<std::uint64_t> number_of(const Json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  if (value.is_number_integer() && value.get<std::int64_t>() >= 0)
    return static_cast<std::uint64_t>(value.get<std::int64_t>());
  if (value.is_number_float()) {
    const auto number = std::round(value.get<double>());
    if (number >= 0 && number < first_beyond_uint64) return static_cast<std::uint64_t>(number);
  }
  if (!value.is_string()) return {};
  const auto number = parse_number<std::uint64_t>(value.get_ref<const std::string&>());
  return number ? std::optional(*number) : std::nullopt;
}

bool truth_of(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  const auto text = text_of(value);
  return text == "1" || text == "true" || text == "yes" || text == "on" ||
         (value.is_number() && text != "0");
}

}  // namespace relab::agent
