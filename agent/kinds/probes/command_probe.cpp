#include "agent/kinds/probes/command_probe.h"

#include <fmt/format.h>

#include "agent/kinds/probes/patience.h"
#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/redact.h"
#include "common/base/text.h"

namespace relab::agent::probes {

namespace {

using Params = schema::CommandProbe;
using Facts = schema::CommandProbe::Facts;
using Texts = std::vector<std::string>;

constexpr std::size_t lines_max = 20;
constexpr std::size_t line_max = 300;

Texts first_lines(const Output& output) {
  Texts shown;
  for (const auto* text : {&output.out, &output.err})
    for (const auto line : lines(*text))
      if (shown.size() < lines_max && !trim(line).empty())
        shown.push_back(redact(clean_text(line.substr(0, line_max))));
  return shown;
}

template <typename List>
void store_texts(List list, const Texts& texts) {
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, texts[i]);
}

Result<Message<Facts>> look(Params::Reader params, const Texts& argv, std::uint32_t tries,
                            Host& host) {
  RELAB_TRY(const auto output,
            host.run({.argv = argv, .timeout = std::chrono::seconds(params.getTimeout())}));
  const auto text = view(params.getText());
  const bool found =
      output.out.find(text) != std::string::npos || output.err.find(text) != std::string::npos;
  if (!found && output.truncated)
    return fail(Fault::damaged, fmt::format("the command '{}' printed more than is ever read of it",
                                            view(params.getCommand())));
  Draft<Facts> facts;
  facts->setCommand(params.getCommand());
  store_texts(facts->initArgv(size_of(argv)), argv);
  facts->setExitCode(static_cast<std::uint16_t>(output.status));
  facts->setFound(found && !text.empty());
  const auto shown = first_lines(output);
  store_texts(facts->initOutput(size_of(shown)), shown);
  facts->setTries(tries);
  return std::move(facts).finish();
}

}  // namespace

Result<Message<Facts>> CommandProbe::observe(Params::Reader params, Host& host) {
  const auto name = str(params.getCommand());
  RELAB_TRY(const auto argv, host.listed_command(name));
  RELAB_ASSERT(!argv.empty());
  return look_until_met<CommandProbe>(
      params, host, fmt::format("waiting until the command '{}' ends as it should", name),
      [&](std::uint32_t tries) { return look(params, argv, tries, host); });
}

Result<void> CommandProbe::judge(Params::Reader params, Facts::Reader facts) {
  const auto name = view(params.getCommand());
  const auto output = facts.getOutput();
  const auto said = output.size() == 0 ? std::string("nothing") : str(output[0]);
  if (facts.getExitCode() != params.getExitCode())
    return fail(Fault::conflict,
                fmt::format("the command '{}' ended with {}, not with {}; it said: "
                            "{}",
                            name, facts.getExitCode(), params.getExitCode(), said));
  if (params.getText().size() == 0 || facts.getFound()) return {};
  return fail(Fault::conflict, fmt::format("the command '{}' did not print '{}'; it said: {}", name,
                                           view(params.getText()), said));
}

}  // namespace relab::agent::probes
