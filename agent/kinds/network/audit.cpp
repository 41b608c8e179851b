#include "agent/kinds/network/audit.h"

#include "agent/kinds/network/observe_config.h"
#include "agent/kinds/network/observe_filter.h"
#include "agent/kinds/network/observe_links.h"

namespace relab::agent::network {

Result<Message<schema::AuditNetwork::Facts>> AuditNetwork::observe(Params::Reader, Host& host) {
  Draft<Facts> facts;
  Gaps gaps;
  const auto links = observe_links(host, *facts, gaps);
  observe_bridge_vlans(host, links, *facts, gaps);
  observe_routes(host, *facts, gaps);
  observe_wireguard(host, links, *facts, gaps);
  observe_configured(host, *facts, gaps);
  observe_names(host, *facts, gaps);
  observe_sysctls(host, *facts, gaps);
  observe_packet_filter(host, *facts, gaps);
  observe_ufw(host, *facts, gaps);
  observe_pve_firewall(host, *facts, gaps);
  gaps.store(facts->initCoverage());
  return std::move(facts).finish();
}

}  // namespace relab::agent::network
