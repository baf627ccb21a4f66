#include "host/cli/completion.h"

namespace garland::cli {
namespace {

constexpr std::string_view kBash = R"(_garland() {
  local current=${COMP_WORDS[COMP_CWORD]}
  local -A words=(
    [plugins]="ls show rescan release enable disable" [vendors]="ls add"
    [connections]="ls show connect authorize authorization test rotate revoke disconnect pause resume resync confirm-deletes" [sync]="run status retry"
    [records]="ls show edit add rm dates" [sandbox]="status" [dev]="run replay" [twin]="serve ledger"
    [webhooks]="schemes verify" [completion]="bash zsh")
  if [[ $COMP_CWORD == 1 ]]; then
    COMPREPLY=($(compgen -W "plugins vendors connections sync records changes stream conflicts schema sandbox webhooks dev twin doctor completion" -- "$current"))
  elif [[ $COMP_CWORD == 2 ]]; then
    COMPREPLY=($(compgen -W "${words[${COMP_WORDS[1]}]}" -- "$current"))
  fi
}
complete -F _garland garland)";

} // namespace

std::string completionScript(std::string_view shell) {
  std::string script(kBash);
  if (shell == "zsh") script = "autoload -U +X bashcompinit && bashcompinit\n" + script;
  return script;
}

} // namespace garland::cli
