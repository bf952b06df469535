use super::proto::{
    AttributeProto, DimensionProto, FLOAT, GraphProto, INT64, NodeProto, TensorProto,
    TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use crate::models::Network;
use crate::torch::TorchError;

/// A value of the graph, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value(String);

/// A graph as it grows, node by node, over the weights of one network.
pub(super) struct Graph<'a> {
    network: &'a Network,
    nodes: Vec<NodeProto>,
    initializers: Vec<TensorProto>,
}

/// A stored tensor on its way into the graph.
pub(super) struct Weight {
    pub(super) dims: Vec<i64>,
    /// Row-major.
    pub(super) values: Vec<f32>,
}

impl<'a> Graph<'a> {
    pub(super) const fn new(network: &'a Network) -> Self {
        Self { network, nodes: Vec::new(), initializers: Vec::new() }
    }

    pub(super) const fn network(&self) -> &'a Network {
        self.network
    }

    /// A node with one output.
    pub(super) fn node(
        &mut self,
        operator: &str,
        inputs: &[&Value],
        attributes: Vec<AttributeProto>,
    ) -> Value {
        self.node_giving(operator, inputs, attributes, 0)
    }

    /// A node of whose outputs the one at `place` is used; those before it are left out by an empty name.
    pub(super) fn node_giving(
        &mut self,
        operator: &str,
        inputs: &[&Value],
        attributes: Vec<AttributeProto>,
        place: usize,
    ) -> Value {
        let name = format!("{operator}_{}", self.nodes.len());
        let mut output = vec![String::new(); place];
        output.push(name.clone());
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|value| value.0.clone()).collect(),
            output,
            name: Some(name.clone()),
            op_type: Some(operator.to_owned()),
            attribute: attributes,
        });
        Value(name)
    }

    /// Constants of the graph; `name` must be new.
    pub(super) fn floats(&mut self, name: &str, dims: &[i64], values: &[f32]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.initializer(name, (FLOAT, dims), bytes)
    }

    /// As [`Self::floats`], of a single number.
    pub(super) fn number(&mut self, name: &str, value: f64) -> Value {
        self.floats(name, &[], &[value as f32])
    }

    /// As [`Self::floats`], of shapes, axes and places.
    pub(super) fn integers(&mut self, name: &str, dims: &[i64], values: &[i64]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.initializer(name, (INT64, dims), bytes)
    }

    fn initializer(&mut self, name: &str, (kind, dims): (i32, &[i64]), bytes: Vec<u8>) -> Value {
        self.initializers.push(TensorProto {
            dims: dims.to_vec(),
            data_type: Some(kind),
            name: Some(name.to_owned()),
            raw_data: Some(bytes),
        });
        Value(name.to_owned())
    }

    /// A learnt tensor by its PyTorch name, to be changed before it goes into the graph.
    pub(super) fn learnt(&self, name: &str) -> Result<Weight, TorchError> {
        let parameters = self.network.parameters();
        let parameter = parameters.iter().find(|parameter| parameter.name == name);
        let tensor = &parameter.expect("layout() names every tensor of the model").tensor;
        let values = tensor.detach().f_to(tch::Device::Cpu)?.f_contiguous()?.f_flatten(0, -1)?;
        Ok(Weight { dims: tensor.size(), values: values.try_into()? })
    }

    /// A learnt tensor as it is, under its PyTorch name.
    pub(super) fn weight(&mut self, name: &str) -> Result<Value, TorchError> {
        let Weight { dims, values } = self.learnt(name)?;
        Ok(self.floats(name, &dims, &values))
    }

    /// `input · weightᵀ + bias` of `[batch, units]`, of the layer of that name.
    pub(super) fn affine(&mut self, layer: &str, input: &Value) -> Result<Value, TorchError> {
        let weight = self.weight(&format!("{layer}.weight"))?;
        let bias = self.weight(&format!("{layer}.bias"))?;
        let transposed = AttributeProto::int("transB", 1);
        Ok(self.node("Gemm", &[input, &weight, &bias], vec![transposed]))
    }

    /// `input · weightᵀ + bias` of `[batch, tokens, units]`, of tensors of these names.
    pub(super) fn affine_of_tokens(
        &mut self,
        (weight, bias): (&str, &str),
        input: &Value,
    ) -> Result<Value, TorchError> {
        let weight = self.weight(weight)?;
        let bias = self.weight(bias)?;
        // Kept as PyTorch stores it; whoever runs the graph transposes it once.
        let weight =
            self.node("Transpose", &[&weight], vec![AttributeProto::ints("perm", &[1, 0])]);
        let product = self.node("MatMul", &[input, &weight], Vec::new());
        Ok(self.node("Add", &[&product, &bias], Vec::new()))
    }

    /// `x Φ(x)`, exact: the operator of its own is younger than the operators used here.
    pub(super) fn gelu(&mut self, input: &Value) -> Value {
        let [root, one, half] = self.gelu_constants();
        let scaled = self.node("Div", &[input, &root], Vec::new());
        let error = self.node("Erf", &[&scaled], Vec::new());
        let share = self.node("Add", &[&error, &one], Vec::new());
        let product = self.node("Mul", &[input, &share], Vec::new());
        self.node("Mul", &[&product, &half], Vec::new())
    }

    fn gelu_constants(&mut self) -> [Value; 3] {
        let constants =
            [("gelu.sqrt_2", std::f64::consts::SQRT_2), ("gelu.one", 1.0), ("gelu.half", 0.5)];
        constants.map(|(name, value)| {
            let is_there = self.initializers.iter().any(|known| known.name() == name);
            if is_there { Value(name.to_owned()) } else { self.number(name, value) }
        })
    }

    /// The elements at one place of an axis, which is then gone; −1 is the last.
    pub(super) fn pick(&mut self, input: &Value, axis: i64, place: i64) -> Value {
        let name = format!("place_{}", self.nodes.len());
        let place = self.integers(&name, &[], &[place]);
        self.node("Gather", &[input, &place], vec![AttributeProto::int("axis", axis)])
    }

    /// The graph that takes `input` and gives `output`, which becomes `name`.
    pub(super) fn finish(
        mut self,
        input: ValueInfoProto,
        output: &Value,
        info: ValueInfoProto,
    ) -> GraphProto {
        let name = info.name().to_owned();
        self.nodes.push(NodeProto {
            input: vec![output.0.clone()],
            output: vec![name],
            name: Some("Identity_output".to_owned()),
            op_type: Some("Identity".to_owned()),
            attribute: Vec::new(),
        });
        GraphProto {
            node: self.nodes,
            name: Some("walkforge".to_owned()),
            initializer: self.initializers,
            input: vec![input],
            output: vec![info],
        }
    }
}

/// A dimension: of a known size, or one that each call chooses.
pub(super) enum Size {
    Of(i64),
    Any(&'static str),
}

/// An f32 tensor that goes in or comes out.
pub(super) fn tensor(name: &str, sizes: &[Size], text: &str) -> (Value, ValueInfoProto) {
    let dim = sizes.iter().map(|size| match size {
        Size::Of(size) => DimensionProto { dim_value: Some(*size), dim_param: None },
        Size::Any(name) => DimensionProto { dim_value: None, dim_param: Some((*name).to_owned()) },
    });
    let shape = Some(TensorShapeProto { dim: dim.collect() });
    let info = ValueInfoProto {
        name: Some(name.to_owned()),
        r#type: Some(TypeProto {
            tensor_type: Some(TensorTypeProto { elem_type: Some(FLOAT), shape }),
        }),
        doc_string: Some(text.to_owned()),
    };
    (Value(name.to_owned()), info)
}
