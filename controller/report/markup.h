#pragma once

/// Headings, emphasis and lines of a report in either form.

#include <string>
#include <string_view>

#include "controller/report/style.h"

namespace relab::controller {

/// A text of another program, made harmless for this form.
std::string harmless(const Style& style, std::string_view text);

/// These three take text that is harmless already.
std::string bold(const Style& style, std::string text);
std::string alarming(const Style& style, std::string text);
/// A paragraph or a line of its own; text is cut to the terminal's width nowhere, so that nothing
/// that matters is lost.
std::string line(const Style& style, std::string text);

/// A title with an empty line around it as the form needs it; `depth` counts from 0.
std::string heading(const Style& style, unsigned depth, std::string_view title);

/// One entry of a list: "- name: value" in Markdown; the caller aligns text by `name_width`.
std::string entry(const Style& style, std::string_view name, std::string_view value,
                  std::size_t name_width);

}  // namespace relab::controller
