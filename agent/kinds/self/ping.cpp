#include "agent/kinds/self/ping.h"

#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::self {

namespace {

constexpr std::size_t echo_size_max = 4096;

}  // namespace

Result<Message<schema::Ping::Facts>> Ping::observe(Params::Reader params, Host& host) {
  if (params.getEcho().size() > echo_size_max)
    return fail(Fault::invalid, "the text to echo has more than 4096 bytes");
  RELAB_TRY(const auto text, host.read_file("/proc/uptime"));
  RELAB_TRY(const auto seconds, parse_number<std::uint64_t>(text.substr(0, text.find('.'))));
  Draft<Facts> facts;
  facts->setEcho(params.getEcho());
  facts->setUptime(seconds);
  return std::move(facts).finish();
}

}  // namespace relab::agent::self
