#include "controller/report/words.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/reflect/notes.h"

namespace relab::controller {

namespace {

std::string without(std::string_view text, std::size_t end) {
  return std::string(text.substr(0, text.size() - end));
}

std::string singular(std::string_view plural) {
  if (plural.ends_with("ies")) return without(plural, 3) + "y";
  for (const auto ending : {"sses", "xes"})
    if (plural.ends_with(ending)) return without(plural, 2);
  if (plural.ends_with("s") && !plural.ends_with("ss")) return without(plural, 1);
  return std::string(plural);
}

}  // namespace

std::string human_name(std::string_view camel) {
  auto name = reflect::snake_case(camel);
  std::ranges::replace(name, '_', ' ');
  return name;
}

std::string counted(std::size_t number, std::string_view plural) {
  return fmt::format("{} {}", number, number == 1 ? singular(plural) : std::string(plural));
}

}  // namespace relab::controller
