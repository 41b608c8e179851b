#pragma once

/// XML documents of configuration files.

#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace relab::agent::media {

/// Fault::damaged, with the offset and nothing of the content, if it is no XML or has no root.
Result<void> parse_xml(std::string_view text, std::string_view what, pugi::xml_document& document);

/// The trimmed text of a child, or "".
std::string text_of(const pugi::xml_node& node, const char* child);
/// Of a boolean as .NET writes it.
bool truth_of(const pugi::xml_node& node, const char* child);

}  // namespace relab::agent::media
