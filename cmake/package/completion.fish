# fish completion for archai-run, archai-space and archai-inspect. The words come from --help, so they are those of the program.
function __archai_options
    $argv[1] --help 2>/dev/null | string match -arg -- '(--[a-z]+(?:-[a-z]+)*)' | sort -u
end
function __archai_commands
    $argv[1] --help 2>/dev/null | sed -nE -e '/^(For example|ARCH is)/q' -e 's/^  ([a-z]+)( .*)?$/\1/p'
end
function __archai_keys
    archai-run --help-config 2>/dev/null | string match -rg '^\| `([a-z_]+\.[a-z_]+)`' | string replace -r '$' '='
end
for program in archai-run archai-space archai-inspect
    complete -c $program -n 'string match -q -- "-*" (commandline -ct)' -f -a "(__archai_options $program)"
end
for program in archai-space archai-inspect
    complete -c $program -n 'test (count (commandline -opc)) -eq 2' -f -a "(__archai_commands $program)"
end
complete -c archai-run -n 'test (commandline -opc)[-1] = --set' -f -a '(__archai_keys)'
complete -c archai-run -n 'test (commandline -opc)[-1] = --progress' -f -a 'auto live plain none'
