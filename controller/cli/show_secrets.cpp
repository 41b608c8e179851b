#include "controller/cli/show_secrets.h"

#include <algorithm>
#include <fmt/format.h>

#include "controller/secrets/store.h"

namespace relab::controller::cli {

void show_secrets(Context& context, schema::Lab::Reader lab, const SecretUsers& users) {
  if (users.empty()) return;
  const auto notes = SecretStore(context.secret_file()).list(str(lab.getName()));
  if (!notes) return context.out().note("note: " + notes.error().sentence());
  for (const auto& [name, steps] : users) {
    const bool is_there = std::ranges::find(*notes, name, &SecretNote::name) != notes->end();
    context.out().line(
        fmt::format("secret {:16} for {} on {}{}: {}", name, steps[0].step, steps[0].agent,
                    steps.size() == 1 ? "" : fmt::format(" and {} more", steps.size() - 1),
                    is_there ? "stored" : fmt::format("missing, `relab secret set {}`", name)));
  }
}

}  // namespace relab::controller::cli
