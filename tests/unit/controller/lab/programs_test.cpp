// Programs, as they are found and as a lab file names them.

#include "controller/lab/programs.h"

#include <set>
#include <string>

#include "tests/support/must.h"

namespace relab::lab {

namespace {

std::string by_unit(std::string_view unit) {
  const auto* found = program_of_unit(unit);
  return found == nullptr ? std::string() : std::string(found->name);
}

std::string by_image(std::string_view image) {
  const auto* found = program_of_image(image);
  return found == nullptr ? std::string() : std::string(found->name);
}

}  // namespace

TEST_CASE("programs: each kind of service is one", "[lab]") {
  const auto kinds = capnp::Schema::from<schema::Lab::Service::Kind>().getEnumerants();
  std::set<std::string_view> names;
  for (const auto kind : kinds) {
    if (kind.getOrdinal() == 0) continue;
    INFO(kind.getProto().getName().cStr());
    const auto& known = program(static_cast<schema::Lab::Service::Kind>(kind.getOrdinal()));
    CHECK(known.kind == static_cast<schema::Lab::Service::Kind>(kind.getOrdinal()));
    CHECK_FALSE(known.units.empty());
    names.insert(known.name);
  }
  CHECK(names.size() == kinds.size() - 1);
  CHECK(program(schema::Lab::Service::Kind::UNSET).units.empty());
}

TEST_CASE("programs: units and images are told by their names", "[lab]") {
  CHECK(by_unit("grafana-server.service") == "grafana");
  CHECK(by_unit("wg-quick@wg0.service") == "wireguard");
  CHECK(by_unit("wg-quick@.timer").empty());
  CHECK(by_unit("grafana.service").empty());
  CHECK(by_image("ghcr.io/open-webui/open-webui:main") == "open_webui");
  CHECK(by_image("ollama/ollama") == "ollama");
  CHECK(by_image("ollama/ollama:0.12.6@sha256:aa") == "ollama");
  CHECK(by_image("registry.lan:5000/linuxserver/sonarr:latest") == "sonarr");
  CHECK(by_image("caddy:2") == "caddy");
  CHECK(by_image("localhost/prom/prometheus") == "prometheus");
  CHECK(by_image("example/caddy:2").empty());
  CHECK(by_image("example/notollama/ollama-ui").empty());
}

}  // namespace relab::lab
