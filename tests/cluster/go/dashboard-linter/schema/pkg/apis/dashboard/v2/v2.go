// Package v2 stands where the linter expects Grafana's types of dashboards in schema v2. It has the names that the
// linter is compiled against and reads no dashboard: ours are in the classic schema, and Go's module proxy does not
// have the version of the real package that the linter asks for.
package v2

import "errors"

// DashboardSpec refuses to be read, so that a dashboard in schema v2 fails the linter instead of passing it unread.
type DashboardSpec struct {
	Title       string
	Editable    *bool
	Elements    map[string]DashboardElement
	Variables   []DashboardVariableKind
	Annotations []DashboardAnnotationQueryKind
}

func (*DashboardSpec) UnmarshalJSON([]byte) error {
	return errors.New("this linter is built without Grafana's types of schema v2")
}

type DashboardElement struct{ PanelKind *Of[DashboardPanelSpec] }

// Of is what v2 wraps around everything: a kind, and what it is.
type Of[T any] struct{ Spec T }

type DashboardPanelSpec struct {
	Id          float64
	Title       string
	Description string
	Data        Of[Queries]
	VizConfig   Visualization
}

type Queries struct{ Queries []DashboardPanelQueryKind }

type Visualization struct {
	Group string
	Spec  struct{ FieldConfig, Options any }
}

type DashboardPanelQueryKind = Of[Query]

type Query struct {
	RefId  string
	Hidden bool
	Query  DashboardDataQueryKind
}

type DashboardDataQueryKind struct {
	Group      string
	Datasource *struct{ Name *string }
	Spec       map[string]any
}

type DashboardAnnotationQueryKind = Of[Annotation]

type Annotation struct {
	Name  string
	Query DashboardDataQueryKind
}

type DashboardVariableKind struct {
	QueryVariableKind                        *Of[QueryVariable]
	DatasourceVariableKind                   *Of[DatasourceVariable]
	CustomVariableKind, IntervalVariableKind *Of[TextVariable]
	ConstantVariableKind, TextVariableKind   *Of[TextVariable]
	AdhocVariableKind, GroupByVariableKind   *Of[Variable]
	SwitchVariableKind                       *Of[Variable]
}

type Variable struct {
	Name            string
	Label, AllValue *string
	Multi           bool
	Refresh         DashboardVariableRefresh
}

type QueryVariable struct {
	Variable
	Query DashboardDataQueryKind
}

type DatasourceVariable struct {
	Variable
	PluginId string
}

type TextVariable struct {
	Variable
	Query string
}

type DashboardVariableRefresh string

const (
	DashboardVariableRefreshOnTimeRangeChanged DashboardVariableRefresh = "onTimeRangeChanged"
	DashboardVariableRefreshOnDashboardLoad    DashboardVariableRefresh = "onDashboardLoad"
)
