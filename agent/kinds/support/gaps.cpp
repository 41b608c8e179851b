#include "agent/kinds/support/gaps.h"

#include <fmt/format.h>

#include "agent/kinds/support/redact.h"
#include "common/base/text.h"

namespace relab::agent {

namespace {

constexpr std::size_t words_max = 300;

template <typename List, typename Gaps>
void fill(List list, const Gaps& gaps) {
  unsigned i = 0;
  for (const auto& gap : gaps) {
    auto entry = list[i++];
    entry.setPart(clean_text(gap.part));
    entry.setWhy(clean_text(gap.why));
  }
}

}  // namespace

void Gaps::store(schema::Coverage::Builder coverage) const {
  coverage.setAbsent(clean_text(absent_));
  fill(coverage.initParts(static_cast<unsigned>(parts_.size())), parts_);
  fill(coverage.initProblems(static_cast<unsigned>(problems_.size())), problems_);
}

std::string first_words(const Output& output) {
  for (const auto* text : {&output.err, &output.out})
    for (const auto line : lines(*text))
      if (!trim(line).empty()) return redact(trim(line).substr(0, words_max));
  return "it said nothing";
}

Result<std::string> output_of(Host& host, const Command& command) {
  RELAB_TRY(auto output, host.run(command));
  const auto line = fmt::format("{}", fmt::join(command.argv, " "));
  if (output.status != 0)
    return fail(Fault::damaged,
                fmt::format("'{}' ended with {}: {}", line, output.status, first_words(output)));
  if (output.truncated)
    return fail(Fault::damaged,
                fmt::format("'{}' printed more than {} bytes", line, command.output_max));
  return std::move(output.out);
}

Result<void> must_run(Host& host, const Command& command) {
  RELAB_CHECK(output_of(host, command));
  return {};
}

}  // namespace relab::agent
