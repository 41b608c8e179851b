#pragma once

/// The report's page, filled: docs/formats/report.md.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace relab::controller {

/// HTML with one marker where the report goes; made of controller/report/page.
std::string_view page_template();

/// The page that shows this report. Whatever a text of it holds, it stays text.
std::string fill_page(const nlohmann::json& report);

}  // namespace relab::controller
