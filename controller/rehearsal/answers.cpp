#include "controller/rehearsal/answers.h"

#include <array>
#include <map>
#include <string_view>

namespace relab::rehearsal {

namespace {

using Kind = schema::Lab::Service::Kind;

struct Page {
  Kind kind;
  std::string_view path;
  std::string_view body;
};

/// https://prometheus.io/docs/prometheus/latest/management_api/
/// https://grafana.com/docs/grafana/latest/developers/http_api/other/#health-api
/// https://jellyfin.org/docs/general/networking/monitoring/
/// https://wiki.servarr.com/
/// https://github.com/ollama/ollama/blob/main/docs/api.md
constexpr std::array pages{
    Page{Kind::JELLYFIN, "/health", "Healthy"},
    Page{Kind::SONARR, "/ping", "{\"status\":\"OK\"}"},
    Page{Kind::RADARR, "/ping", "{\"status\":\"OK\"}"},
    Page{Kind::PROWLARR, "/ping", "{\"status\":\"OK\"}"},
    Page{Kind::PROMETHEUS, "/-/healthy", "Prometheus Server is Healthy.\n"},
    Page{Kind::PROMETHEUS, "/-/ready", "Prometheus Server is Ready.\n"},
    Page{Kind::GRAFANA, "/api/health",
         "{\n  \"database\": \"ok\",\n  \"version\": \"12.2.1\",\n"
         "  \"commit\": \"563109b696e9c1cbaf345f2ab7a11f7f78422982\"\n}"},
    Page{Kind::OLLAMA, "/", "Ollama is running"},
    Page{Kind::OPEN_WEBUI, "/health", "{\"status\":true}"},
};

}  // namespace

Answers answers_of(Kind kind) {
  std::map<std::string, std::string> known;
  for (const auto& page : pages)
    if (page.kind == kind) known.emplace(page.path, page.body);
  if (known.empty()) return {};
  return
      [known = std::move(known)](const std::string& path) -> std::optional<agent::sim::HttpAnswer> {
        const auto found = known.find(path);
        if (found == known.end()) return {};
        return agent::sim::HttpAnswer{.status = 200, .body = found->second};
      };
}

}  // namespace relab::rehearsal
