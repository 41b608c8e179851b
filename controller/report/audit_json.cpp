// The audit as JSON: the schema's own codec for the facts, inside an object with the metadata.

#include <capnp/compat/json.h>
#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "controller/report/audit.h"

namespace relab::controller {

namespace {

using Json = nlohmann::ordered_json;

Json facts_of(capnp::DynamicStruct::Reader facts) {
  capnp::JsonCodec codec;
  const auto text = codec.encode(facts);
  return Json::parse(text.begin(), text.begin() + text.size());
}

Json entry_of(const SectionView& view) {
  Json entry = {{"agent", clean_text(view.agent)},
                {"result", clean_text(view.outcome)},
                {"whole", is_whole(view)}};
  if (view.taken_at) entry["taken_at"] = iso8601(*view.taken_at);
  if (!view.failure.empty()) entry["failure"] = clean_text(view.failure);
  entry["facts"] = view.facts ? facts_of(*view.facts) : Json();
  return entry;
}

}  // namespace

std::string audit_json(const std::vector<SectionView>& sections) {
  Json audit = Json::object();
  for (const auto& view : sections) audit[clean_text(view.section)].push_back(entry_of(view));
  return audit.dump(2, ' ', true) + "\n";
}

}  // namespace relab::controller
