#include "controller/cli/page/page.h"

#include "common/base/result.h"

namespace relab::controller {

namespace {

constexpr std::string_view marker = "{{data}}";

}  // namespace

std::string fill_page(const nlohmann::json& report) {
  const auto page = page_template();
  const auto at = page.find(marker);
  RELAB_ASSERT(at != std::string_view::npos && page.find(marker, at + 1) == std::string_view::npos);
  std::string filled(page.substr(0, at));
  // A '<' stands in texts only; nothing ends the script that holds the data.
  for (const char c : report.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace))
    filled += c == '<' ? std::string("\\u003c") : std::string(1, c);
  filled += page.substr(at + marker.size());
  return filled;
}

}  // namespace relab::controller
