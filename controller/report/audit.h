#pragma once

/// A whole audit: an overview of what was asked of which agent and what came back, then each
/// section.

#include <capnp/dynamic.h>
#include <optional>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "controller/report/style.h"
#include "schema/task.capnp.h"

namespace relab::controller {

/// One section from one agent. Give one for every section that is demanded, those without an
/// answer too: what is not given is not mentioned.
struct SectionView {
  std::string section;
  std::string agent;
  /// How it went, in words: "succeeded", "failed", "no answer".
  std::string outcome;
  std::optional<Instant> taken_at = {};
  std::optional<capnp::DynamicStruct::Reader> facts = {};
  /// Why there are no facts, or what went wrong; empty if nothing did.
  std::string failure = {};
};

/// The findings of a report, whatever their kind; nothing if it has none.
std::optional<capnp::DynamicStruct::Reader> findings_of(schema::Facts::Reader facts);

/// The section was read, succeeded and has no problems.
bool is_whole(const SectionView& view);

/// Text or Markdown. `now` is what ages are counted from.
std::string render_audit(const std::vector<SectionView>& sections, const Style& style, Instant now);

/// One JSON object with a list for each section: for each agent its metadata and the facts as the
/// schema's JSON has them. ASCII only, so that nothing in it reaches a terminal as a control.
std::string audit_json(const std::vector<SectionView>& sections);

}  // namespace relab::controller
