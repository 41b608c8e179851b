#include "controller/run/sealing.h"

#include "common/crypto/sealed_secret.h"
#include "common/reflect/secrets.h"
#include "common/wire/message.h"

namespace relab::controller {

Result<void> seal_secrets(schema::Order::Builder order, const crypto::PublicKey& seal_key,
                          const SecretSource& source) {
  const auto names = reflect::secrets_of(order.asReader().getTask());
  if (names.empty()) return {};
  if (!source) return fail(Fault::missing, "there are no secrets here");
  auto secrets = order.initSecrets(static_cast<unsigned>(names.size()));
  for (unsigned i = 0; i < secrets.size(); ++i) {
    RELAB_TRY(const auto secret,
              source(names[i]).during("ordering " + str(order.asReader().getStep())));
    const auto box = crypto::seal_secret(seal_key,
                                         {.lab = view(order.asReader().getLab()),
                                          .task = view(order.asReader().getTaskId()),
                                          .name = names[i]},
                                         secret.value);
    secrets[i].setName(names[i]);
    secrets[i].setSetAt(unix_millis(secret.set_at));
    secrets[i].setBox(blob(box));
  }
  return {};
}

}  // namespace relab::controller
