#compdef archai-run archai-space archai-inspect
# zsh completion. The words come from --help, so they are those of the program.
_archai() {
    local program=$words[1]
    local -a options commands keys
    if [[ $words[CURRENT-1] == --set ]]; then
        keys=(${(f)"$(archai-run --help-config 2>/dev/null | sed -nE 's/^\| `([a-z_]+\.[a-z_]+)`.*/\1/p')"})
        compadd -S = -a keys
        return
    fi
    if [[ $words[CURRENT-1] == --progress ]]; then
        compadd auto live plain none
        return
    fi
    if [[ $PREFIX == -* ]]; then
        options=(${(fu)"$($program --help 2>/dev/null | grep -oE -e '--[a-z]+(-[a-z]+)*')"})
        compadd -a options
        return
    fi
    if [[ ${program:t} != archai-run ]] && (( CURRENT == 3 )); then
        commands=(${(f)"$($program --help 2>/dev/null | sed -nE -e '/^(For example|ARCH is)/q' -e 's/^  ([a-z]+)( .*)?$/\1/p')"})
        compadd -a commands
        return
    fi
    _files
}
_archai "$@"
