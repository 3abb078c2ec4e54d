package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	yaml "gopkg.in/yaml.v2"
)

const (
	deepestInclude = 1000
	noValue        = "<no value>"
)

type renderedFile struct{ name, text string }

type engine struct {
	chart   *chart
	cluster cluster
	depth   map[string]int
}

func newEngine(c *chart, k cluster) *engine {
	return &engine{chart: c, cluster: k, depth: map[string]int{}}
}

// render executes every template but the partials, whose names begin with an underscore.
func (e *engine) render(top map[string]interface{}) ([]renderedFile, error) {
	root := template.New("chart").Option("missingkey=zero")
	root.Funcs(e.functions(root))
	name := e.chart.metadata["name"].(string)
	for _, file := range sortedKeys(e.chart.templates) {
		if _, err := root.New(name + "/" + file).Parse(e.chart.templates[file]); err != nil {
			return nil, err
		}
	}

	var rendered []renderedFile
	for _, file := range sortedKeys(e.chart.templates) {
		if strings.HasPrefix(path.Base(file), "_") {
			continue
		}

		full := name + "/" + file
		top["Template"] = map[string]interface{}{"Name": full, "BasePath": name + "/templates"}
		var text bytes.Buffer
		if err := root.ExecuteTemplate(&text, full, top); err != nil {
			return nil, err
		}

		// helm prints nothing here. It is always a mistake, so we say so.
		if at := strings.Index(text.String(), noValue); at >= 0 {
			before := text.String()[:at]
			return nil, fmt.Errorf("%s prints a value that is not there: %q", full, before[strings.LastIndex(before, "\n")+1:]+noValue)
		}

		rendered = append(rendered, renderedFile{full, text.String()})
	}

	return rendered, nil
}

func (e *engine) functions(root *template.Template) template.FuncMap {
	all := sprig.TxtFuncMap()
	delete(all, "env")
	delete(all, "expandenv")

	all["include"] = func(name string, data interface{}) (string, error) {
		if e.depth[name]++; e.depth[name] > deepestInclude {
			return "", fmt.Errorf("include of %s never ends", name)
		}

		defer func() { e.depth[name]-- }()
		var text strings.Builder
		err := root.ExecuteTemplate(&text, name, data)
		return text.String(), err
	}
	all["tpl"] = func(text string, data interface{}) (string, error) {
		clone, err := root.Clone()
		if err != nil {
			return "", err
		}

		parsed, err := clone.New("tpl").Parse(text)
		if err != nil {
			return "", err
		}

		var result strings.Builder
		err = parsed.Execute(&result, data)
		return result.String(), err
	}
	all["required"] = func(warning string, value interface{}) (interface{}, error) {
		if text, ok := value.(string); value == nil || (ok && text == "") {
			return value, errors.New(warning)
		}

		return value, nil
	}
	all["fail"] = func(message string) (string, error) { return "", errors.New(message) }
	all["lookup"] = e.cluster.lookup
	all["getHostByName"] = func(string) string { return "" } // as in helm without --enable-dns
	all["toYaml"] = toYaml
	all["fromYaml"] = func(text string) map[string]interface{} {
		value, err := decode([]byte(text))
		if err != nil {
			return map[string]interface{}{"Error": err.Error()}
		}

		return value
	}
	all["fromYamlArray"] = func(text string) []interface{} {
		value, err := decodeAny([]byte(text))
		if err != nil {
			return []interface{}{err.Error()}
		}

		items, _ := value.([]interface{})
		return items
	}
	all["toJson"] = func(value interface{}) string {
		text, _ := json.Marshal(value)
		return string(text)
	}
	all["fromJson"] = func(text string) map[string]interface{} {
		value := map[string]interface{}{}
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			value["Error"] = err.Error()
		}

		return value
	}
	all["fromJsonArray"] = func(text string) []interface{} {
		var value []interface{}
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			return []interface{}{err.Error()}
		}

		return value
	}
	return all
}

// toYaml goes through JSON, as helm's does, so that keys are sorted and whole numbers have no exponent.
func toYaml(value interface{}) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		return ""
	}

	var plain interface{}
	if err := yaml.Unmarshal(encoded, &plain); err != nil {
		return ""
	}

	text, err := yaml.Marshal(plain)
	if err != nil {
		return ""
	}

	return strings.TrimSuffix(string(text), "\n")
}
