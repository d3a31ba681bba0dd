# bash completion for archai-run, archai-space and archai-inspect. The words come from --help, so they are those of the program.
_archai_options() { "$1" --help 2>/dev/null | grep -oE -e '--[a-z]+(-[a-z]+)*' | sort -u; }
_archai_commands() { "$1" --help 2>/dev/null | sed -nE -e '/^(For example|ARCH is)/q' -e 's/^  ([a-z]+)( .*)?$/\1/p'; }
_archai_keys() { archai-run --help-config 2>/dev/null | sed -nE 's/^\| `([a-z_]+\.[a-z_]+)`.*/\1=/p'; }

_archai() {
    local program=$1 word=$2 before=$3 i positional=0
    COMPREPLY=()
    case $before in
        --set)
            mapfile -t COMPREPLY < <(compgen -W "$(_archai_keys)" -- "$word")
            compopt -o nospace
            return ;;
        --progress) mapfile -t COMPREPLY < <(compgen -W 'auto live plain none' -- "$word"); return ;;
        -n) return ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_archai_options "$program")" -- "$word")
        return
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == -* ]] || ((positional++))
    done
    # The second word of the tools is a command, all others are files.
    if ((positional == 1)) && [[ ${program##*/} != archai-run ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_archai_commands "$program")" -- "$word")
        return
    fi
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
    compopt -o filenames
}
complete -F _archai archai-run archai-space archai-inspect
