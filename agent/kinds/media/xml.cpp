#include "agent/kinds/media/xml.h"

#include <fmt/format.h>

#include "common/base/text.h"

namespace relab::agent::media {

Result<void> parse_xml(std::string_view text, std::string_view what, pugi::xml_document& document) {
  const auto parsed = document.load_buffer(text.data(), text.size());
  if (!parsed)
    return fail(Fault::damaged, fmt::format("{} is no XML: {} at byte {}", what,
                                            parsed.description(), parsed.offset));
  if (!document.document_element()) return fail(Fault::damaged, fmt::format("{} is empty", what));
  return {};
}

std::string text_of(const pugi::xml_node& node, const char* child) {
  return std::string(trim(node.child(child).text().get()));
}

bool truth_of(const pugi::xml_node& node, const char* child) {
  const auto text = text_of(node, child);
  return text == "true" || text == "True" || text == "1";
}

}  // namespace relab::agent::media
